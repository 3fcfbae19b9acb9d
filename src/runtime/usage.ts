import { readdirSync, readFileSync } from 'node:fs'
import { readStatNow } from './proc.ts'

/** What an instance has used since its start, all its processes together; null: not readable. */
export interface Usage {
  /** Milliseconds of CPU time, user and system. */
  readonly cpu: number
  /** Bytes: its cgroup's peak, cached files included; without one the sum of its processes' peaks. */
  readonly memory: number | null
  /** Bytes read and written with system calls: files, pipes and sockets alike. */
  readonly read: number | null
  readonly written: number | null
}

/**
 * Follows what a process and its descendants use, as far as `/proc` says so: looked at a second
 * after its start, every ten seconds, when it is told to end, and when its output ends. What a
 * descendant used is counted while it lives, and after that where its parent waited for it. All
 * meters share one timer, and look one after the other. Linux only: elsewhere all is null.
 */
export class UsageMeter {
  readonly #pid: number
  #start: string | undefined
  #seconds = 0
  #usage: Usage | null = null

  constructor(pid: number) {
    this.#pid = pid
    if (process.platform !== 'linux') return
    meters.add(this)
    timer ??= setInterval(tick, SECOND).unref()
  }

  /** As it was last seen; null before that. */
  get usage(): Usage | null {
    return this.#usage
  }

  /** Looks in this turn or one of the next, before a process that is told to end can be gone. */
  soon(): void {
    if (meters.has(this)) enqueue(this)
  }

  /** Looks now. */
  sample(): void {
    const stat = meters.has(this) ? readStatNow(this.#pid) : undefined
    this.#start ??= stat?.start
    // Its id may have been given out again.
    if (stat === undefined || stat.start !== this.#start) return
    const seen = familyOf(this.#pid).map(usageOf)
    this.#usage = {
      cpu:
        most(
          this.#usage?.cpu,
          seen.map(({ cpu }) => cpu),
        ) ?? 0,
      memory: most(
        this.#usage?.memory,
        seen.map(({ memory }) => memory),
      ),
      read: most(
        this.#usage?.read,
        seen.map(({ read }) => read),
      ),
      written: most(
        this.#usage?.written,
        seen.map(({ written }) => written),
      ),
    }
  }

  /** It has ended. */
  end(): void {
    meters.delete(this)
    queue.delete(this)
    if (meters.size > 0) return
    clearInterval(timer)
    timer = undefined
  }

  /** Called each second: the first look, and every tenth from then on. */
  tick(): void {
    if (this.#seconds % EVERY === 0) enqueue(this)
    this.#seconds += 1
  }
}

const meters = new Set<UsageMeter>()
const queue = new Set<UsageMeter>()
let timer: NodeJS.Timeout | undefined

function tick(): void {
  for (const meter of meters) meter.tick()
}

function enqueue(meter: UsageMeter): void {
  if (queue.size === 0) setImmediate(drain)
  queue.add(meter)
}

/** A slice of a turn; the rest waits for the next. */
function drain(): void {
  const until = performance.now() + SLICE
  for (const meter of queue) {
    queue.delete(meter)
    meter.sample()
    if (performance.now() > until) break
  }
  if (queue.size > 0) setImmediate(drain)
}

/** The process and those below it; any of its threads may have started one. */
function familyOf(leader: number): number[] {
  const family = [leader]
  let looks = 0
  for (const pid of family) {
    for (const thread of list(`/proc/${pid}/task`)) {
      if (looks >= MOST_THREADS || family.length >= MOST) return family.slice(0, MOST)
      looks += 1
      const children = read(`/proc/${pid}/task/${thread}/children`).trim()
      if (children !== '') family.push(...children.split(' ').map(Number))
    }
  }
  return family.slice(0, MOST)
}

function usageOf(pid: number): Usage {
  const peak = field(read(`/proc/${pid}/status`), 'VmHWM')
  const io = read(`/proc/${pid}/io`)
  return {
    cpu: (readStatNow(pid)?.ticks ?? 0) * TICK,
    memory: peak === null ? null : peak * 1024,
    read: field(io, 'rchar'),
    written: field(io, 'wchar'),
  }
}

/** The number after a name, such as `VmHWM:     4096 kB`. */
function field(text: string, name: string): number | null {
  const [, digits] = new RegExp(`^${name}:\\s*(\\d+)`, 'm').exec(text) ?? []
  return digits === undefined ? null : Number(digits)
}

/** The sum, though never less than before: what has ended is not seen any more. */
function most(before: number | null | undefined, values: (number | null)[]): number | null {
  const known = values.filter((value) => value !== null)
  if (known.length === 0) return before ?? null
  return Math.max(
    before ?? 0,
    known.reduce((sum, value) => sum + value, 0),
  )
}

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}

function list(path: string): string[] {
  try {
    return readdirSync(path)
  } catch {
    return []
  }
}

/** Processes and threads of one instance that are looked at: some milliseconds, whatever it does. */
const MOST = 32
const MOST_THREADS = 128
/** Milliseconds. */
const SECOND = 1000
const SLICE = 2
/** A clock tick; Linux has 100 in a second wherever Node runs. */
const TICK = 10
/** Seconds. */
const EVERY = 10
