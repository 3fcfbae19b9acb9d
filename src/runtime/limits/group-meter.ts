import type { Meter } from '../process.ts'
import { type Usage, UsageMeter } from '../usage.ts'
import type { LimitGroup } from './limiter.ts'

/**
 * What an instance uses by the kernel's own accounts of its group, which count what has ended as
 * well; what they do not have, input and output by system calls, is looked at process by process.
 */
export class GroupMeter implements Meter {
  readonly #group: LimitGroup
  readonly #processes: UsageMeter

  /** `pid` is the first process of the group. */
  constructor(group: LimitGroup, pid: number) {
    this.#group = group
    this.#processes = new UsageMeter(pid)
  }

  get usage(): Usage | null {
    const seen = this.#processes.usage
    const accounts = this.#group.usage()
    const cpu = accounts?.cpu ?? seen?.cpu
    if (cpu === undefined) return null
    return {
      cpu,
      memory: accounts?.memory ?? seen?.memory ?? null,
      read: seen?.read ?? null,
      written: seen?.written ?? null,
    }
  }

  sample(): void {
    this.#processes.sample()
  }

  soon(): void {
    this.#processes.soon()
  }

  end(): void {
    this.#processes.end()
  }
}
