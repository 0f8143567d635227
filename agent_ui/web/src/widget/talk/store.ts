import { useLayoutEffect, useState } from 'preact/hooks'

/** A value and those who watch it. */
export class Store<T> {
  #watchers = new Set<(now: T, before: T) => void>()

  constructor(public value: T) {}

  set(value: T): void {
    const before = this.value
    if (value === before) return
    this.value = value
    for (const watcher of [...this.#watchers]) watcher(value, before)
  }

  /** Returns a function that stops watching. */
  watch(watcher: (now: T, before: T) => void): () => void {
    this.#watchers.add(watcher)
    return () => this.#watchers.delete(watcher)
  }
}

export function useStore<T>(store: Store<T>): T {
  const [value, setValue] = useState(store.value)
  useLayoutEffect(() => {
    setValue(store.value)
    return store.watch((now) => setValue(() => now))
  }, [store])
  return value
}
