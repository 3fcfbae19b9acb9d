import type { Declaration } from '../tool/declaration.ts'

/** One file of the tools folder, as it stands. */
export interface ToolEntry {
  readonly name: string
  readonly file: string
  /** `loading` until first described; `ready`; `broken`: no good version, or the last good one is kept. */
  readonly state: 'loading' | 'ready' | 'broken'
  /** The last good version. */
  readonly declaration?: Declaration
  /** What is wrong with the file as it is now. */
  readonly error?: FileError
  /** All that is wrong with it, `error` first. */
  readonly errors?: readonly FileError[]
}

export interface FileError {
  /** Path of the file the mistake is in: the tool's, or a helper's it imports. */
  readonly file: string
  readonly line?: number
  readonly column?: number
  /** Where in the declaration, such as `policy.network`. */
  readonly path?: string
  /** What is wrong; neither the path nor what was expected. */
  readonly message: string
  readonly expected?: string
}

/** Reads and watches the tools folder, and keeps the last good version of each tool. */
export interface Registry {
  list(): readonly ToolEntry[]
  get(name: string): ToolEntry | undefined
  /** Called after each change of an entry; `undefined`: the file is gone. */
  onChange(listener: (name: string, entry: ToolEntry | undefined) => void): void
  /** Settles when every file that stood there at start has been described or has failed. */
  readonly settled: Promise<void>
  /** Ends watching and every child. */
  close(): Promise<void>
}
