import { constants, type Dir, type Dirent, type Stats } from 'node:fs'
import { type FileHandle, lstat, open, opendir } from 'node:fs/promises'

/** What lies in a folder, or as much of it as was looked at before it was too much. */
export interface Measure {
  /** Bytes of disk: of a file with holes, what it has. */
  readonly bytes: number
  readonly entries: number
  /** Why it cannot be measured to its end: it is too deep, or nobody may read it. */
  readonly hidden: 'deep' | 'unreadable' | undefined
}

export interface MeasureOptions {
  /** It stops where there is more than this. */
  readonly bytes: number
  readonly entries: number
  readonly signal: AbortSignal
}

/**
 * Adds up a folder whose owner may be hostile, and changes it meanwhile. Each folder is opened as
 * what it is, never by way of a link, and what is in it looked up in the opened one: so nothing
 * leads out of it. Other file systems mounted in it are left out; of a file with several names one
 * is counted. Entries are read some at a time, off the event loop. Rejects where it is not there.
 */
export async function measureFolder(folder: string, options: MeasureOptions): Promise<Measure> {
  const walk = new Walk(options)
  const top = await openFolder(folder)
  try {
    await walk.into(top, 0)
  } finally {
    await top.close()
  }
  return walk
}

class Walk implements Measure {
  bytes = 0
  entries = 0
  hidden: Measure['hidden']
  readonly #options: MeasureOptions
  readonly #linked = new Set<number>()
  #device: number | undefined

  constructor(options: MeasureOptions) {
    this.#options = options
  }

  /** True: on with the next. */
  async into(handle: FileHandle, depth: number): Promise<boolean> {
    const { dev } = await handle.stat()
    this.#device ??= dev
    const path = `/proc/self/fd/${handle.fd}`
    // Names need not be UTF-8.
    const folder = (await opendir(path, { encoding: 'buffer' as never, bufferSize: SOME })) as Dir
    try {
      for (;;) {
        const entries = await readSome(folder)
        if (entries.length === 0) return true
        const folders = await this.#count(path, entries)
        if (!this.#goesOn) return false
        for (const each of folders) if (!(await this.#enter(each, depth + 1))) return false
      }
    } finally {
      await folder.close()
    }
  }

  get #goesOn(): boolean {
    const { bytes, entries, signal } = this.#options
    return (
      this.bytes <= bytes && this.entries <= entries && this.hidden === undefined && !signal.aborted
    )
  }

  /** Gives the paths of the folders among them. */
  async #count(path: string, entries: readonly Dirent[]): Promise<Buffer[]> {
    const paths = entries.map((entry) => below(path, entry.name as unknown as Buffer))
    const seen = await Promise.all(
      paths.map((each) => lstat(each).catch((error: unknown) => this.#unseen(error))),
    )
    return paths.filter((_, index) => {
      const stat = seen[index]
      // It vanished, or something else is mounted there.
      if (stat === undefined || stat.dev !== this.#device) return false
      this.entries += 1
      if (this.#isFirst(stat)) this.bytes += stat.blocks * 512
      return stat.isDirectory()
    })
  }

  /** It may have vanished, or not be a folder any more: then it is nothing. */
  #unseen(error: unknown): undefined {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EACCES' || code === 'EPERM') this.hidden = 'unreadable'
    else if (code !== undefined && !GONE.includes(code)) throw error
  }

  #isFirst(stat: Stats): boolean {
    if (stat.nlink < 2 || stat.isDirectory()) return true
    if (this.#linked.has(stat.ino)) return false
    if (this.#linked.size < MOST_LINKED) this.#linked.add(stat.ino)
    return true
  }

  async #enter(path: Buffer, depth: number): Promise<boolean> {
    if (depth > DEEPEST) {
      this.hidden = 'deep'
      return false
    }
    let handle: FileHandle
    try {
      handle = await openFolder(path)
    } catch (error) {
      this.#unseen(error)
      return this.hidden === undefined
    }
    try {
      return await this.into(handle, depth)
    } finally {
      await handle.close()
    }
  }
}

const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW } = constants

function openFolder(path: string | Buffer): Promise<FileHandle> {
  return open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
}

async function readSome(folder: Dir): Promise<Dirent[]> {
  const entries: Dirent[] = []
  while (entries.length < SOME) {
    const entry = await folder.read()
    if (entry === null) break
    entries.push(entry)
  }
  return entries
}

function below(path: string, name: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${path}/`), name])
}

const GONE = ['ENOENT', 'ENOTDIR', 'ELOOP']

/** Entries in one go. */
const SOME = 32
/** Folders in each other: two descriptors are open for each. */
const DEEPEST = 100
const MOST_LINKED = 100_000
