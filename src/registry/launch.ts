import { spawn } from 'node:child_process'
import { dirname } from 'node:path'
import type { Readable } from 'node:stream'
import { MARK } from '../mark.ts'
import { killGroup } from './kill-group.ts'

/** A child that reads a tool's file: this Node with these arguments. */
export interface ReaderCommand {
  /** Absolute path of the tool's file. */
  readonly file: string
  /** Absolute path of Node. */
  readonly program: string
  readonly args: readonly string[]
  /** Folder of compiled code, which it only reads; absent: there is none. */
  readonly compiled?: string
  /** Whose it is, wherever it goes. */
  readonly mark: string
  /** Milliseconds until it has to run, and what gives it up. */
  readonly within: number
  readonly signal: AbortSignal
}

export interface Reader {
  readonly stderr: Readable
  /** What it writes to descriptor 3. */
  readonly results: Readable
  /** How it ended, in words such as `code 1` or `SIGKILL`. */
  readonly exited: Promise<string>
  /** Ends it, with whatever it started. */
  kill(): void
}

/** Starts a child that reads a file, and confines it. Rejects where that cannot be done. */
export type Launch = (command: ReaderCommand) => Promise<Reader>

/** Confined by nothing but an empty environment. */
export const launchBare: Launch = async ({ file, program, args, mark }) => {
  const child = spawn(program, args, {
    cwd: dirname(file),
    // Nothing is inherited, what Node hands on by itself neither.
    env: { [MARK]: mark, NODE_V8_COVERAGE: undefined },
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
  })
  const kill = () => killGroup(child.pid)
  process.on('exit', kill)
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  child.on('error', reject)
  child.on('exit', (code, signal) => {
    process.off('exit', kill)
    kill()
    resolve(signal ?? `code ${code}`)
  })
  // Whoever looks for how it ended hears of it there.
  promise.catch(() => {})
  return {
    stderr: child.stderr as Readable,
    results: child.stdio[3] as Readable,
    exited: promise,
    kill,
  }
}
