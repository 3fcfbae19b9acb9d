import { type Usage, UsageMeter } from '../usage.ts'
import type { Accounts, LimitGroup } from './limits.ts'

/**
 * What an instance uses by the kernel's own accounts of its group, which count what has ended as
 * well; what they do not have, input and output by system calls, is looked at process by process.
 * Both are looked at when a `UsageMeter` looks, and at the end.
 */
export class GroupMeter extends UsageMeter {
  readonly #group: LimitGroup
  #accounts: Accounts | null = null

  /** `pid` is the first process of the group. */
  constructor(group: LimitGroup, pid: number) {
    super(pid)
    this.#group = group
  }

  override get usage(): Usage | null {
    const seen = super.usage
    const cpu = this.#accounts?.cpu ?? seen?.cpu
    if (cpu === undefined) return null
    return {
      cpu,
      memory: this.#accounts?.memory ?? seen?.memory ?? null,
      read: seen?.read ?? null,
      written: seen?.written ?? null,
    }
  }

  override sample(): void {
    super.sample()
    this.#accounts = this.#group.usage() ?? this.#accounts
  }

  override end(): void {
    super.end()
    this.#accounts = this.#group.usage() ?? this.#accounts
  }
}
