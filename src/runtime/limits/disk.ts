import { statfs } from 'node:fs/promises'
import { setTimeout as wait } from 'node:timers/promises'
import { diskBreach } from './breaches.ts'
import { measureFolder } from './measure.ts'

export interface DiskOptions {
  /** Absolute path. */
  readonly folder: string
  /** Bytes. */
  readonly most: number
  /** Milliseconds between two looks at whether it may have grown; 1000 where it is not given. */
  readonly every?: number
  /** Bytes that its instance has written so far; null: not known. */
  readonly written?: () => number | null
  /** Is told once what callers are told. */
  readonly onBreach: (why: string) => void
}

export interface DiskWatch {
  close(): void
}

/**
 * Watches how much a folder holds: measured at once, and again when so much was written, or so
 * much less is free on its disk, that it may be too much. Instances that share a folder share the
 * looks at it. Linux only: elsewhere it does nothing.
 */
export function watchDisk(options: DiskOptions): DiskWatch {
  if (process.platform !== 'linux') return { close: () => {} }
  const key = `${options.most} ${options.folder}`
  const known = watches.get(key)
  const watch = known ?? new FolderWatch(options, () => watches.delete(key))
  watches.set(key, watch)
  return { close: watch.listen(options) }
}

const watches = new Map<string, FolderWatch>()

type Listener = Pick<DiskOptions, 'written' | 'onBreach'>

class FolderWatch {
  readonly #options: Omit<DiskOptions, 'onBreach' | 'written'>
  readonly #listeners = new Set<Listener>()
  readonly #closed = new AbortController()
  readonly #onClose: () => void
  #breach: string | undefined
  #size = 0
  #looked = { free: 0, written: 0, at: Number.NEGATIVE_INFINITY, took: 0 }

  constructor(options: DiskOptions, onClose: () => void) {
    this.#options = options
    this.#onClose = onClose
    void this.#watch()
  }

  listen(listener: Listener): () => void {
    this.#listeners.add(listener)
    const breach = this.#breach
    if (breach !== undefined) queueMicrotask(() => listener.onBreach(breach))
    return () => {
      this.#listeners.delete(listener)
      if (this.#listeners.size > 0) return
      this.#closed.abort()
      this.#onClose()
    }
  }

  async #watch(): Promise<void> {
    const { signal } = this.#closed
    const { every = SECOND } = this.#options
    while (!signal.aborted && this.#breach === undefined) {
      // A folder that is not there yet, or a table of files that is full: the next look tells.
      await this.#look().catch(() => {})
      await wait(every, undefined, { signal, ref: false }).catch(() => {})
    }
  }

  async #look(): Promise<void> {
    const { folder, most } = this.#options
    const { bavail, bsize } = await statfs(folder)
    const [free, written, now] = [bavail * bsize, this.#written(), performance.now()]
    if (!this.#isDue(free, written, now)) return
    const measured = await oneByOne(() =>
      measureFolder(folder, { bytes: most, entries: MOST_ENTRIES, signal: this.#closed.signal }),
    )
    if (this.#closed.signal.aborted) return
    const end = performance.now()
    this.#looked = { free, written, at: end, took: end - now }
    this.#size = measured.bytes
    if (measured.bytes > most) this.#found(diskBreach(most))
    else if (measured.entries > MOST_ENTRIES)
      this.#found(`it keeps more than ${MOST_ENTRIES} files`)
    else if (measured.hidden === 'deep') this.#found('it nests its folders too deeply')
    else if (measured.hidden === 'unreadable') this.#found('it keeps a folder that nobody may read')
  }

  /** Where a quarter of its room may be gone; never most of the time, and now and then anyway. */
  #isDue(free: number, written: number, now: number): boolean {
    const { at, took, ...before } = this.#looked
    if (now - at < RARELY * took) return false
    if (now - at > ANYWAY) return true
    const grown = Math.max(before.free - free, written - before.written)
    return grown > 0 && grown >= (this.#options.most - this.#size) / 4
  }

  #written(): number {
    let sum = 0
    for (const { written } of this.#listeners) sum += written?.() ?? 0
    return sum
  }

  #found(why: string): void {
    this.#breach = why
    for (const { onBreach } of this.#listeners) onBreach(why)
  }
}

/** However many folders there are, one is walked at a time. */
function oneByOne<T>(walk: () => Promise<T>): Promise<T> {
  const walking = last.then(walk)
  last = walking.catch(() => {})
  return walking
}

let last: Promise<unknown> = Promise.resolve()

/** Milliseconds. */
const SECOND = 1_000
const ANYWAY = 60_000
/** Times as long as a look took until the next. */
const RARELY = 20
/** Each takes its place on disk too, that no size tells. */
const MOST_ENTRIES = 1_000_000
