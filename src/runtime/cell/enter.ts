import { constants } from 'node:os'
import type { Readable, Writable } from 'node:stream'
import { ToolgateError } from '../../errors.ts'
import { MARK } from '../../mark.ts'
import { within } from '../../within.ts'
import type { Exit, Stdio } from '../body.ts'
import type { LimitGroup } from '../limits/limits.ts'
import { removeGroup } from '../limits/remove-group.ts'
import { checkWanted, givenUp } from '../starting.ts'
import type { Given, NativeCell } from './native.ts'
import { seccompFilter } from './seccomp/filter.ts'

export interface EnterOptions {
  readonly cell: Pick<NativeCell, 'flags' | 'words'>
  readonly given: Omit<Given, 'seccomp' | 'block' | 'info'>
  /** Absolute path of bubblewrap. */
  readonly bubblewrap: string
  /** What runs in the cell; its path there is absolute. */
  readonly program: string
  readonly args: readonly string[]
  /** In the cell. */
  readonly cwd: string
  /** Whose it is, wherever it goes. */
  readonly mark: string
  /** Made for it; removed where it is not entered. */
  readonly group: Promise<LimitGroup>
  /** Milliseconds until it has to be there. */
  readonly within: number
  /** Gives it up. */
  readonly signal?: AbortSignal | undefined
  /** Gives the program a descriptor 3 to write to; else it has the usual three alone. */
  readonly third?: boolean
}

/** A program that waits in its cell for its first instruction. */
export interface Entered {
  /** The first process in the cell, by its id out here: it leads a session, and with it ends all. */
  readonly pid: number
  readonly stdio: Stdio
  /** What the program writes to descriptor 3, where it has one. */
  readonly third: Readable | undefined
  readonly group: LimitGroup
  begin(): void
}

/**
 * Builds a cell around a program, and lets it begin when its limits hold: until then bubblewrap
 * waits. Rejects with `tool_failed_to_start`, and leaves nothing then.
 */
export async function enterCell(options: EnterOptions): Promise<Entered> {
  let outer: Outer | undefined
  let group: LimitGroup | undefined
  try {
    group = await options.group
    checkWanted(options.signal)
    outer = await spawn(group.entrance, options)
    return await timely(placed(group, outer), options)
  } catch (error) {
    outer?.kill()
    // Whoever waits for a file that does not come cannot even be killed.
    if (outer !== undefined) await within(outer.exited, LAST)
    const breach = group?.breach()
    await removeGroup(options.group)
    throw asStartError(error, breach)
  }
}

/** Milliseconds. */
const LAST = 1_000

async function placed(group: LimitGroup, outer: Outer): Promise<Entered> {
  const pid = await outer.inner
  await group.enter([outer.pid, pid])
  const { stdio, third, begin } = outer
  return { pid, stdio, third, group, begin }
}

async function timely<T>(work: Promise<T>, { within: most, signal }: EnterOptions): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>()
  const giveUp = () => reject(givenUp())
  const timer = setTimeout(() => {
    const message = `The cell of the tool was not built within ${most} ms.`
    reject(new ToolgateError('tool_failed_to_start', message))
  }, most)
  signal?.addEventListener('abort', giveUp, { once: true })
  if (signal?.aborted === true) giveUp()
  try {
    return await Promise.race([work, promise])
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', giveUp)
    // Nobody hears how the other of the two ended.
    work.catch(() => {})
  }
}

/** Bubblewrap itself, outside: with it ends all that is inside. */
interface Outer extends Pick<Entered, 'stdio' | 'third' | 'begin'> {
  readonly pid: number
  /** The first process inside, by its id out here. */
  readonly inner: Promise<number>
  readonly exited: Promise<Exit>
  kill(): void
}

async function spawn(entrance: readonly string[], options: EnterOptions): Promise<Outer> {
  const { execa } = await import('execa')
  const { cell, given, bubblewrap, program, args, cwd, mark } = options
  // Bubblewrap closes its own before the program begins.
  const own = options.third === true ? 4 : 3
  const { workspace } = given
  const held = typeof workspace === 'number' ? [workspace] : []
  const flags = cell.flags({
    ...given,
    env: { ...given.env, [MARK]: mark },
    workspace: typeof workspace === 'number' ? own + 4 : workspace,
    seccomp: own,
    block: own + 1,
    info: own + 2,
  })
  const listed = listOf([...flags, '--chdir', cwd])
  // What the types leave out of the further ones: a descriptor of ours.
  const descriptors = [...Array.from({ length: own + 4 }, () => 'pipe'), ...held]
  const inside = [...cell.words(given), program, ...args]
  // Through a pipe: what is on the command line could be read in the cell, with paths of the host.
  const words = [bubblewrap, '--args', String(own + 3), '--', ...inside]
  const [first = bubblewrap, ...rest] = [...entrance, ...words]
  const child = execa(first, rest, {
    cwd: '/',
    env: { [MARK]: mark, NODE_V8_COVERAGE: undefined },
    extendEnv: false,
    detached: true,
    cleanup: false,
    stdio: descriptors as unknown as ['pipe', 'pipe', 'pipe'],
    buffer: false,
    reject: false,
    encoding: 'buffer',
  })
  const { pid, nodeChildProcess } = child
  if (pid === undefined) throw asStartError((await child) as { cause?: unknown })
  const pipes = nodeChildProcess.stdio as unknown as readonly (Readable & Writable)[]
  const [filter, block, info, told] = pipes.slice(own) as unknown as [
    Writable,
    Writable,
    Readable,
    Writable,
  ]
  // What bubblewrap closes early is told by its exit.
  for (const pipe of [filter, block, info, told]) pipe.on('error', () => {})
  told.end(listed)
  filter.end(seccompFilter(process.arch))
  const exited = new Promise<Exit>((resolve) =>
    nodeChildProcess.once('exit', (code, signal) => resolve(exitOf(code, signal))),
  )
  const { stdin, stdout, stderr } = nodeChildProcess as Stdio
  return {
    pid,
    third: options.third === true ? pipes[3] : undefined,
    exited,
    // It may end before anybody listens, and is heard all the same.
    stdio: { stdin, stdout, stderr, once: (_, listen) => exited.then((exit) => listen(...exit)) },
    inner: innerOf(info, stderr, exited),
    begin: () => void block.end('1'),
    kill: () => signal(-pid, 'SIGKILL'),
  }
}

/** As `--args` is read; with one more end in it a value would be flags of its own. */
function listOf(words: readonly string[]): string {
  if (words.some((word) => word.includes('\0'))) throw new Error('a NUL in what a cell is told')
  return words.map((word) => `${word}\0`).join('')
}

/** As shells do, bubblewrap exits with 128 and the number of the signal that ended its child. */
function exitOf(code: number | null, signal: NodeJS.Signals | null): Exit {
  const number = (code ?? 0) - 128
  const named = Object.entries(constants.signals).find(([, each]) => each === number)
  return named === undefined ? [code, signal] : [null, named[0] as NodeJS.Signals]
}

/** What bubblewrap says of its child: `{ "child-pid": 123, … }`. */
async function innerOf(info: Readable, stderr: Readable, exited: Promise<unknown>) {
  let said = ''
  info.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  // Of who has ended Node throws away what nobody listens to; this keeps it, and takes nothing.
  const keep = () => {}
  stderr.on('readable', keep)
  await Promise.race([new Promise((resolve) => info.once('end', resolve)), exited])
  stderr.off('readable', keep)
  const pid = Number(/"child-pid":\s*(\d+)/.exec(said)?.[1])
  if (pid > 0) return pid
  throw new Error(await firstWords(stderr))
}

async function firstWords(stderr: Readable): Promise<string> {
  let said = ''
  stderr.on('data', (chunk: Buffer) => {
    if (said.length < 1_000) said += chunk.toString('utf8')
  })
  await within(new Promise((resolve) => stderr.once('end', resolve)), 200)
  return said.trim() || 'bubblewrap ended without a word'
}

function signal(target: number, name: NodeJS.Signals): void {
  try {
    process.kill(target, name)
  } catch {
    // It has ended.
  }
}

function asStartError(cause: unknown, breach?: string): unknown {
  if (cause instanceof ToolgateError) return cause
  const why = breach === undefined ? '; the log says why' : `: ${breach}`
  const message = `The cell of the tool could not be built${why}.`
  return new ToolgateError('tool_failed_to_start', message, { cause })
}
