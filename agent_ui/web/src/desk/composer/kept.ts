import type { Mode } from '@desk/model/entities'

export type Texts = Partial<Record<Mode, string>>

/** Texts of this tab that the hub does not hold, by conversation; they survive a reload. */
export class KeptTexts {
  private readonly texts: Record<string, Texts>

  constructor(
    private readonly key: string,
    private readonly storage: Storage = sessionStorage,
  ) {
    this.texts = this.read()
  }

  of(conversation: string): Texts | undefined {
    return this.texts[conversation]
  }

  keep(conversation: string, texts: Texts): void {
    const written = Object.fromEntries(Object.entries(texts).filter(([, text]) => text))
    if (Object.keys(written).length) this.texts[conversation] = written
    else if (this.texts[conversation]) delete this.texts[conversation]
    else return
    try {
      this.storage.setItem(this.key, JSON.stringify(this.texts))
    } catch {
      // Storage that is full or forbidden takes nothing: the page still has the texts.
    }
  }

  private read(): Record<string, Texts> {
    try {
      return JSON.parse(this.storage.getItem(this.key) ?? '{}') as Record<string, Texts>
    } catch {
      return {}
    }
  }
}
