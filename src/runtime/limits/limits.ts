/** Bounds of one instance, all its processes together. */
export interface Bounds {
  /** Bytes. */
  readonly memory: number
  /** Processes and threads. */
  readonly processes: number
  /** Such as 0.5; null: all there are. */
  readonly cpus: number | null
}

/** How limits are kept on this host. */
export interface Limiter {
  readonly kind: 'cgroup v2' | 'cgroup v1' | 'prlimit'
  /** What keeps each bound, for people; null: nothing can here. */
  readonly how: Kept
  /** Words put before the tool's program inside the cell; none where nothing is needed. */
  prefix(bounds: Bounds): readonly string[]
  /** Makes the group of one instance; `name` is the value of its mark. Rejects where it cannot. */
  open(name: string, bounds: Bounds): Promise<LimitGroup>
  /**
   * Removes groups that these dead gateways left, with all that is in them. Gives how many; rejects
   * where some are left.
   */
  reap(gateways: ReadonlySet<string>): Promise<number>
}

export interface Kept {
  readonly memory: string | null
  readonly processes: string | null
  readonly cpus: string | null
}

/** The processes of one instance, and its bounds. */
export interface LimitGroup {
  /** Words before the program that holds the cell, with which it starts in here; may be none. */
  readonly entrance: readonly string[]
  /**
   * Sees that the processes that hold the cell are in, before the tool's first instruction. The
   * last of them is the first process inside. Rejects where one of them is gone.
   */
  enter(pids: readonly number[]): Promise<void>
  /** What was breached, in words for callers; undefined: nothing. Looked up now, also at its end. */
  breach(): string | undefined
  /** `end` is told once, when it has to be ended by whoever started it. */
  onBreach(end: (why: string) => void): void
  /** What the kernel's own accounts say of all its processes together; null: there are none. */
  usage(): Accounts | null
  /** Ids of the processes in it. */
  members(): number[]
  /** After its end: what is left in it is killed, and the group removed. Never rejects. */
  remove(): Promise<void>
}

/** What the kernel counted since the group was made; null: it does not. */
export interface Accounts {
  /** Milliseconds of CPU time, user and system. */
  readonly cpu: number | null
  /** Bytes, at their peak. */
  readonly memory: number | null
}
