import { fold, settle, type Change, type Source, type World } from './fold'

export interface StreamEvent extends Change {
  pos: number
  prev: number | null
  type: string
  at: string
}

export type HelloAnswer =
  | { pos: number; now: string; mode: 'resume'; events: StreamEvent[] }
  | { pos: number; now: string; mode: 'snapshot'; entities: Change[] }

/** What a line needs of its socket. */
export interface Wire {
  hello(pos: number | null): Promise<HelloAnswer>
}

export interface LineEvents {
  /** The line is up to date; `changed` entities differ from what was shown before. */
  ready(changed: number, fresh: boolean): void
  clock(now: string): void
  folded(event: StreamEvent): void
  failed(error: unknown): void
}

/** Holes that a resume did not close, after which a fresh snapshot is asked for. */
const PATIENCE = 3

/**
 * One namespace's stream: says hello, follows positions, sees holes and asks again. The world is
 * complete whenever `ready` has been called and no hello is under way.
 */
export class Line {
  pos: number | null = null
  private greeting = false
  /** What came while a hello was under way: it follows the answer. */
  private early: StreamEvent[] = []
  private again = false
  private holes = 0

  constructor(
    private readonly wire: Wire,
    private readonly world: World,
    private readonly source: Source,
    private readonly events: LineEvents,
  ) {}

  async hello(): Promise<void> {
    if (this.greeting) {
      this.again = true
      return
    }
    this.greeting = true
    this.again = false
    try {
      this.take(await this.wire.hello(this.holes >= PATIENCE ? null : this.pos))
    } catch (error) {
      this.events.failed(error)
      return
    } finally {
      this.greeting = false
      const early = this.early
      this.early = []
      for (const event of early) this.event(event)
    }
    if (this.again) await this.hello()
  }

  event(event: StreamEvent): void {
    if (this.greeting) {
      this.early.push(event)
      return
    }
    const news = fold(this.world, event, this.source)
    if (news || event.view === null) this.events.folded(event)
    if (this.pos !== null && event.pos <= this.pos) return
    if (event.prev !== this.pos) {
      this.hole()
      return
    }
    this.pos = event.pos
    this.holes = 0
  }

  heartbeat(beat: { pos: number; now: string }): void {
    this.events.clock(beat.now)
    if (!this.greeting && (this.pos === null || beat.pos > this.pos)) this.hole()
  }

  private hole(): void {
    this.holes += 1
    void this.hello()
  }

  private take(answer: HelloAnswer): void {
    this.events.clock(answer.now)
    const fresh = answer.mode === 'snapshot'
    let changed = 0
    if (answer.mode === 'snapshot') {
      changed = settle(this.world, answer.entities, this.source)
      this.holes = 0
    } else {
      for (const event of answer.events) {
        if (!fold(this.world, event, this.source)) continue
        changed += 1
        this.events.folded(event)
      }
    }
    this.pos = answer.pos
    this.events.ready(changed, fresh)
  }
}
