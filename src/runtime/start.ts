import { ToolgateError } from '../errors.ts'
import { MARK, markOf } from '../mark.ts'
import type { Stdio } from './body.ts'
import { ProcessGroup } from './group.ts'
import { type ProcessOptions as PipeOptions, ToolProcess } from './process.ts'
import { endStragglers } from './stragglers.ts'
import { UsageMeter } from './usage.ts'

export interface ProcessOptions extends PipeOptions {
  readonly program: string
  readonly args: readonly string[]
  readonly cwd: string
  /** The whole environment; nothing is inherited. */
  readonly env: Readonly<Record<string, string>>
}

/** Starts a process in a group of its own. Rejects with `tool_failed_to_start`. */
export async function startProcess(options: ProcessOptions): Promise<ToolProcess> {
  const { execa } = await import('execa')
  const mark = markOf(options.fields.instance)
  const child = execa(options.program, [...options.args], {
    cwd: options.cwd,
    // Node hands the last one on to every child unless told otherwise, whatever `env` says.
    env: { ...options.env, [MARK]: mark, NODE_V8_COVERAGE: undefined },
    extendEnv: false,
    detached: process.platform !== 'win32',
    cleanup: process.platform === 'win32',
    stdin: 'pipe',
    stdout: 'pipe',
    stderr: 'pipe',
    buffer: false,
    reject: false,
    encoding: 'buffer',
    windowsHide: true,
  })
  if (child.pid === undefined) {
    const { cause } = (await child) as { cause?: unknown }
    const what = startFailure(options, cause)
    throw new ToolgateError('tool_failed_to_start', `The tool could not be started: ${what}.`, {
      cause,
    })
  }
  return new ToolProcess(options, {
    pid: child.pid,
    stdio: child.nodeChildProcess as Stdio,
    members: new MarkedGroup(child.pid, mark),
    meter: new UsageMeter(child.pid),
  })
}

/** Without a cell: its group, and what left that but carries its mark. */
class MarkedGroup extends ProcessGroup {
  readonly #mark: string

  constructor(leader: number, mark: string) {
    super(leader)
    this.#mark = mark
  }

  override async release(): Promise<void> {
    void super.release()
    await endStragglers(this.#mark)
  }
}

function startFailure(options: ProcessOptions, cause: unknown): string {
  const code = (cause as NodeJS.ErrnoException | undefined)?.code
  if (code === 'ENOENT') return `there is no program "${options.program}"`
  if (code === 'EACCES') return `"${options.program}" may not be executed`
  if (code === 'E2BIG') return 'its arguments or environment are too long'
  return `spawn failed${code === undefined ? '' : ` with ${code}`}`
}

/** Loads what starting needs soon, so that the first session neither waits nor pays for it. */
export function prepareStarting(): void {
  setTimeout(() => void import('execa'), SOON).unref()
}

/** Milliseconds: after whoever is there at the start has been served. */
const SOON = 1000
