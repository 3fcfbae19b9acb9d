import { basename, extname, join } from 'node:path'
import type { Readable } from 'node:stream'
import { pathToFileURL } from 'node:url'
import { markOf } from '../mark.ts'
import { within } from '../within.ts'
import type { Result } from './describe-child.ts'
import type { Launch, Reader } from './launch.ts'
import type { FileError } from './registry.ts'

export interface DescribeOptions {
  /** Absolute path of the tool's file. */
  readonly file: string
  /** Milliseconds; then the child and whatever it started are killed. */
  readonly timeout: number
  /** Folder of compiled code; absent: none is kept. */
  readonly compiled?: string
  readonly signal: AbortSignal
  /** Starts the process, and confines it. */
  readonly launch: Launch
  /** Called with each file as it is loaded. */
  loaded?(file: { readonly path: string; readonly hash: string }): void
}

/**
 * Reads a tool's file in a process of its own, which imports it. Never rejects: what went wrong is
 * in `errors`. Bounded in time, in what it says and in memory; its output is thrown away.
 */
export async function describeFile(options: DescribeOptions): Promise<Result> {
  const { file, timeout, signal, launch } = options
  const files: { path: string; hash: string }[] = []
  const failed = (message: string, expected: string): Result => ({
    files,
    missing: [],
    errors: [{ file, message, expected }],
  })
  const child = await launch({
    file,
    program: process.execPath,
    args: [...FLAGS, options.compiled ?? '', ENTRY, file],
    ...(options.compiled !== undefined && { compiled: options.compiled }),
    // Of two readings of one file, the one that is given up may still be ending.
    mark: markOf(`${basename(file, extname(file))}.describe-${++readings}`),
    within: timeout,
    signal,
  }).catch((error: unknown) => error)
  if (!isReader(child)) {
    const why = child instanceof Error ? child.message : 'its process could not be started'
    return failed(`it could not be read: ${why}`, 'a process that can be started')
  }
  let result: Result | undefined
  let said = ''
  const end = (reason: Result) => {
    result ??= reason
    child.kill()
  }
  const timer = setTimeout(
    () => end(failed(`it was not read within ${timeout} ms`, 'an import that ends')),
    timeout,
  )
  const stop = () => end(failed('the reading was given up', 'an import that ends'))
  signal.addEventListener('abort', stop)
  if (signal.aborted) stop()

  const heard = drained(child.stderr.setEncoding('utf8'), (text: string) => {
    if (said.length < MOST_STDERR) said += text.slice(0, MOST_STDERR)
  })
  const read = readLines(child.results, (line) => {
    if (line === undefined) return end(failed('it says too much', 'at most 4 MB of modules'))
    if (isLoaded(line) && files.length < MOST_FILES) {
      files.push(line.loaded)
      options.loaded?.(line.loaded)
    } else if (isResult(line)) end(line.result)
  })
  try {
    const how = await child.exited.catch((error: Error) => error.message)
    // A descendant that left the group may hold the pipes: what was said by now has been read.
    await within(Promise.all([heard, read]), LAST_WORDS)
    const why = /heap out of memory/.test(said)
      ? 'the memory was not enough'
      : `it ended with ${how}`
    return result ?? failed(`it could not be read: ${why}`, 'a file that can be imported')
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', stop)
    for (const stream of [child.stderr, child.results]) stream.destroy()
  }
}

let readings = 0

/** Milliseconds. */
const LAST_WORDS = 200

function isReader(launched: unknown): launched is Reader {
  return typeof (launched as Partial<Reader> | null)?.kill === 'function'
}

const EXTENSION = extname(import.meta.filename)
const ENTRY = pathToFileURL(join(import.meta.dirname, `describe-child${EXTENSION}`)).href
const FLAGS = [
  '--disable-warning=ExperimentalWarning',
  '--max-old-space-size=256',
  join(import.meta.dirname, 'start-child.js'),
]

const MOST_BYTES = 4 * 2 ** 20
const MOST_STDERR = 8 * 2 ** 10
const MOST_FILES = 1_000

/** Gives each piece of text; resolves at the end, however that came. */
function drained(stream: Readable, each: (text: string) => void): Promise<void> {
  return new Promise((resolve) => {
    stream
      .on('error', () => {})
      .on('data', each)
      .once('close', resolve)
  })
}

/** Gives each line parsed, and undefined once the bound is passed; lines that are no JSON are left out. */
function readLines(stream: Readable, each: (line: unknown) => void): Promise<void> {
  let left = MOST_BYTES
  let rest = ''
  return drained(stream.setEncoding('utf8'), (text) => {
    left -= text.length
    if (left < 0) {
      rest = ''
      return each(undefined)
    }
    const lines = text.split('\n')
    const last = lines.pop() ?? ''
    for (const line of lines) {
      each(parse(rest + line))
      rest = ''
    }
    rest += last
  })
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return null
  }
}

function isLoaded(line: unknown): line is { loaded: { path: string; hash: string } } {
  return isFile((line as { loaded?: unknown } | null)?.loaded)
}

function isFile(value: unknown): value is { path: string; hash: string } {
  const { path, hash } = (value ?? {}) as { path?: unknown; hash?: unknown }
  return typeof path === 'string' && path.startsWith('/') && typeof hash === 'string'
}

/** The tool's code runs in the child, so that its word is taken for nothing more than data. */
function isResult(line: unknown): line is { result: Result } {
  const result = (line as { result?: Partial<Result> } | null)?.result
  return (
    Array.isArray(result?.files) &&
    result.files.every(isFile) &&
    result.files.length <= MOST_FILES &&
    Array.isArray(result.missing) &&
    result.missing.every((path) => typeof path === 'string') &&
    (result.errors === undefined || isErrors(result.errors))
  )
}

function isErrors(errors: unknown): errors is FileError[] {
  const good = (one: Partial<FileError> | null) =>
    typeof one?.file === 'string' && typeof one.message === 'string'
  return Array.isArray(errors) && errors.length > 0 && errors.every(good)
}
