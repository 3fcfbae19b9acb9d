import { ProcessGroup } from '../group.ts'
import { watchDisk } from '../limits/disk.ts'
import { GroupMeter } from '../limits/group-meter.ts'
import { readStatNow } from '../proc.ts'
import { type ProcessOptions, ToolProcess } from '../process.ts'
import { type EnterOptions, enterCell } from './enter.ts'

export interface CelledOptions extends ProcessOptions, EnterOptions {
  /** A folder that it may write to, and the most bytes that it may hold; null: there is none. */
  readonly disk: { readonly folder: string; readonly most: number } | null
  /** Called once, after the end of all that ran in it, and where nothing could be started. */
  ended(): Promise<void>
}

/** Starts a program in its cell, as a pipe. Rejects with `tool_failed_to_start`. */
export async function startInCell(options: CelledOptions): Promise<ToolProcess> {
  const { disk } = options
  const entered = await enterCell(options).catch(async (error: unknown) => {
    options.log.error({ ...options.fields, err: error }, 'a cell could not be built')
    await options.ended()
    throw error
  })
  const { pid, stdio, group, begin } = entered
  const held = new AsyncDisposableStack()
  held.defer(() => options.ended())
  held.defer(() => group.remove())
  const members = new CellMembers(pid, () => held.disposeAsync())
  let overfull: string | undefined
  group.onBreach(() => void members.signal('SIGKILL'))
  const meter = new GroupMeter(group, pid)
  const process = new ToolProcess(options, {
    pid,
    stdio,
    members,
    meter,
    blame: () => overfull ?? group.breach(),
  })
  if (disk !== null) {
    const onBreach = (why: string) => {
      overfull = why
      members.signal('SIGKILL')
    }
    const watch = watchDisk({ ...disk, written: () => meter.usage?.written ?? null, onBreach })
    held.defer(() => watch.close())
  }
  begin()
  return process
}

/** The first process inside leads a session of its own; when it is killed nothing in it is left. */
class CellMembers extends ProcessGroup {
  readonly #released: () => Promise<void>

  constructor(leader: number, released: () => Promise<void>) {
    super(leader)
    this.#released = released
  }

  /** Its zombie counts for nothing: the kernel ends all that is in a namespace before its first one. */
  override signal(signal: NodeJS.Signals | 0): boolean {
    if (signal !== 0) return super.signal(signal)
    const state = readStatNow(this.leader)?.state
    return state !== undefined && state !== 'Z' && state !== 'X'
  }

  override async release(): Promise<void> {
    await super.release()
    await this.#released()
  }
}
