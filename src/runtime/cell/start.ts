import { constants } from 'node:os'
import type { Readable, Writable } from 'node:stream'
import { ToolgateError } from '../../errors.ts'
import { MARK, markOf } from '../../mark.ts'
import { within } from '../../within.ts'
import { ProcessGroup } from '../group.ts'
import { GroupMeter } from '../limits/group-meter.ts'
import type { Bounds, LimitGroup, Limiter } from '../limits/limiter.ts'
import { type Exit, type ProcessOptions, type Stdio, ToolProcess } from '../process.ts'
import type { Given, NativeCell } from './native.ts'
import { seccompFilter } from './seccomp/filter.ts'

export interface CelledOptions extends ProcessOptions {
  readonly cell: NativeCell
  readonly given: Omit<Given, 'seccomp' | 'block' | 'info'>
  /** Absolute path of bubblewrap. */
  readonly bubblewrap: string
  /** What runs in the cell. */
  readonly program: string
  readonly args: readonly string[]
  /** In the cell. */
  readonly cwd: string
  /** The whole environment; nothing is inherited. */
  readonly env: Readonly<Record<string, string>>
  readonly limiter: Limiter
  readonly bounds: Bounds
  /** Called once, after the end of all that ran in it, and where nothing could be started. */
  ended(): Promise<void>
}

/**
 * Starts a program in its cell. It runs its first instruction only when its limits hold: until
 * then bubblewrap waits. Rejects with `tool_failed_to_start`, and leaves nothing then.
 */
export async function startInCell(options: CelledOptions): Promise<ToolProcess> {
  const mark = markOf(options.fields.instance)
  let group: LimitGroup | undefined
  let outer: Outer | undefined
  try {
    const opening = options.limiter.open(mark, options.bounds)
    // Whoever fails first says why; the other must not be an unhandled rejection.
    opening.catch(() => {})
    outer = await spawn(options, mark)
    group = await opening
    const pid = await outer.inner
    await group.enter([outer.pid, pid])
    const members = new CellMembers(pid, group, options.ended)
    group.onBreach(() => void members.signal('SIGKILL'))
    const held = group
    const process = new ToolProcess(options, {
      pid,
      stdio: outer.stdio,
      members,
      meter: new GroupMeter(group, pid),
      blame: () => held.breach(),
    })
    outer.release()
    return process
  } catch (error) {
    outer?.kill()
    await outer?.exited
    await group?.remove()
    await options.ended()
    throw asStartError(error)
  }
}

/** Bubblewrap itself, outside: with it ends all that is inside. */
interface Outer {
  readonly pid: number
  readonly stdio: Stdio
  /** The first process inside, by its id out here. */
  readonly inner: Promise<number>
  readonly exited: Promise<Exit>
  /** Lets the program begin. */
  release(): void
  kill(): void
}

const SECCOMP = 3
const BLOCK = 4
const INFO = 5

async function spawn(options: CelledOptions, mark: string): Promise<Outer> {
  const { execa } = await import('execa')
  const { cell, given, bubblewrap, program, args, cwd, env } = options
  const flags = cell.flags({ ...given, seccomp: SECCOMP, block: BLOCK, info: INFO })
  const inside = [...cell.words(given), program, ...args]
  const child = execa(bubblewrap, [...flags, '--chdir', cwd, '--', ...inside], {
    cwd: '/',
    env: { ...env, [MARK]: mark, NODE_V8_COVERAGE: undefined },
    extendEnv: false,
    detached: true,
    cleanup: false,
    stdio: ['pipe', 'pipe', 'pipe', 'pipe', 'pipe', 'pipe'],
    buffer: false,
    reject: false,
    encoding: 'buffer',
  })
  const { pid, nodeChildProcess } = child
  if (pid === undefined) {
    const { cause } = (await child) as { cause?: unknown }
    throw new ToolgateError('tool_failed_to_start', 'The cell of the tool could not be started.', {
      cause,
    })
  }
  const pipes = nodeChildProcess.stdio as unknown as readonly (Readable & Writable)[]
  const [filter, block, info] = [pipes[SECCOMP], pipes[BLOCK], pipes[INFO]] as const
  // What bubblewrap closes early is said by its exit, with its words.
  for (const pipe of [filter, block, info]) pipe?.on('error', () => {})
  filter?.end(seccompFilter(process.arch))
  const exited = new Promise<Exit>((resolve) =>
    nodeChildProcess.once('exit', (code, signal) => resolve(exitOf(code, signal))),
  )
  const { stdin, stdout, stderr } = nodeChildProcess as Stdio
  return {
    pid,
    // It may end before anybody listens, and is heard all the same.
    stdio: { stdin, stdout, stderr, once: (_, listen) => exited.then((exit) => listen(...exit)) },
    exited,
    inner: innerOf(info as Readable, nodeChildProcess.stderr as Readable, exited),
    release: () => void block?.end('1'),
    kill: () => signal(-pid, 'SIGKILL'),
  }
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
  await Promise.race([new Promise((resolve) => info.once('end', resolve)), exited])
  const pid = Number(/"child-pid":\s*(\d+)/.exec(said)?.[1])
  if (pid > 0) return pid
  const why = await firstWords(stderr)
  throw new ToolgateError('tool_failed_to_start', 'The cell of the tool could not be built.', {
    cause: new Error(why),
  })
}

async function firstWords(stderr: Readable): Promise<string> {
  let said = ''
  stderr.on('data', (chunk: Buffer) => {
    if (said.length < 1_000) said += chunk.toString('utf8')
  })
  await within(new Promise((resolve) => stderr.once('end', resolve)), 200)
  return said.trim() || 'bubblewrap ended without a word'
}

/** The first process inside leads a session of its own; when it is killed nothing in it is left. */
class CellMembers extends ProcessGroup {
  readonly #group: LimitGroup
  readonly #ended: () => Promise<void>

  constructor(leader: number, group: LimitGroup, ended: () => Promise<void>) {
    super(leader)
    this.#group = group
    this.#ended = ended
  }

  override async release(): Promise<void> {
    await super.release()
    await this.#group.remove()
    await this.#ended()
  }
}

function signal(target: number, name: NodeJS.Signals): void {
  try {
    process.kill(target, name)
  } catch {
    // It has ended.
  }
}

function asStartError(error: unknown): unknown {
  if (error instanceof ToolgateError) return error
  const message = 'The cell of the tool could not be built; the log says why.'
  return new ToolgateError('tool_failed_to_start', message, { cause: error })
}
