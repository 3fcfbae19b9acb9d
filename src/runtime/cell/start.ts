import { markOf } from '../../mark.ts'
import { ProcessGroup } from '../group.ts'
import { GroupMeter } from '../limits/group-meter.ts'
import type { LimitGroup } from '../limits/limiter.ts'
import { readStatNow } from '../proc.ts'
import { type ProcessOptions, ToolProcess } from '../process.ts'
import { type EnterOptions, enterCell } from './enter.ts'

export interface CelledOptions extends ProcessOptions, Omit<EnterOptions, 'mark'> {
  /** Called once, after the end of all that ran in it, and where nothing could be started. */
  ended(): Promise<void>
}

/** Starts a program in its cell, as a pipe. Rejects with `tool_failed_to_start`. */
export async function startInCell(options: CelledOptions): Promise<ToolProcess> {
  const mark = markOf(options.fields.instance)
  const entered = await enterCell({ ...options, mark }).catch(async (error: unknown) => {
    options.log.error({ ...options.fields, err: error }, 'a cell could not be built')
    await options.ended()
    throw error
  })
  const { pid, stdio, group, begin } = entered
  const members = new CellMembers(pid, group, options.ended)
  group.onBreach(() => void members.signal('SIGKILL'))
  const process = new ToolProcess(options, {
    pid,
    stdio,
    members,
    meter: new GroupMeter(group, pid),
    blame: () => group.breach(),
  })
  begin()
  return process
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

  /** Its zombie counts for nothing: the kernel ends all that is in a namespace before its first one. */
  override signal(signal: NodeJS.Signals | 0): boolean {
    if (signal !== 0) return super.signal(signal)
    const state = readStatNow(this.leader)?.state
    return state !== undefined && state !== 'Z' && state !== 'X'
  }

  override async release(): Promise<void> {
    await super.release()
    await this.#group.remove()
    await this.#ended()
  }
}
