import type { Readable, Writable } from 'node:stream'
import type { Usage } from './usage.ts'

/** The three streams of a child, and its end: `exit` with the code and the signal. */
export interface Stdio {
  readonly stdin: Writable
  readonly stdout: Readable
  readonly stderr: Readable
  once(event: 'exit', listener: (...exit: Exit) => void): unknown
}

/** What was started, and how it is watched and ended: one shape for processes, cells, containers. */
export interface Body {
  /** On this host; of a container that of its first process, 0 where nobody knows. */
  readonly pid: number
  readonly stdio: Stdio
  readonly members: Members
  readonly meter: Meter
  /** Why it ended, where its cell knows better than its exit code: `it used more than its memory`. */
  blame?(): string | undefined
}

/** All the processes of one body. */
export interface Members {
  /** Sends a signal to all; 0 only looks. False when none is left. */
  signal(signal: NodeJS.Signals | 0): boolean
  /** Waits until none is left, at most `milliseconds`; true when that is so. */
  emptied(milliseconds: number): Promise<boolean>
  /** After the end: lets go of all that was kept for it, such as its cgroup. Never rejects. */
  release(): Promise<void>
}

/** What they use. */
export interface Meter {
  readonly usage: Usage | null
  /** Looks now, where that can be done at once. */
  sample(): void
  /** Looks soon: it is told to end. */
  soon(): void
  /** It has ended. */
  end(): void
}

export type Exit = [code: number | null, signal: NodeJS.Signals | null]
