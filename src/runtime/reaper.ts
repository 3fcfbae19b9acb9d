import { setTimeout as wait } from 'node:timers/promises'
import { GATEWAY, readMark } from '../mark.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import { Leases, type Neighbour } from './leases.ts'
import { NotYet } from './not-yet.ts'
import { markedProcesses, markIn, readStat, readStatNow } from './proc.ts'

export interface ReaperOptions {
  /** Absolute path of the cache folder; gateways that share it look after each other. */
  readonly cache: string
  /** Milliseconds from TERM to KILL. */
  readonly term: number
  readonly telemetry: Telemetry
  /**
   * Clear up what else dead gateways left: containers, cgroups, sockets, folders of sessions. Each is
   * called once their processes have ended.
   */
  readonly clearers: readonly ((gateways: ReadonlySet<string>) => Promise<unknown>)[]
  /** At its end: whether something of ours is left that only a later gateway can clear up. */
  readonly leaves: () => Promise<boolean>
  /** At its end, where nothing is left: forgets what told others where to look for it. */
  readonly forget: () => Promise<void>
}

/**
 * Ends the processes that a dead gateway of the same cache folder left behind. Whether a gateway
 * is dead its lease says; what carries the mark of one whose lease is not there is not touched,
 * since it may live with a cache folder of its own. Linux only: elsewhere it does nothing, for
 * nobody can read another process's environment.
 */
export class Reaper {
  readonly #options: ReaperOptions
  readonly #leases: Leases
  readonly #closed = new AbortController()
  #held: Promise<void> | undefined
  #looking: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined
  /** How often something was left, one look after the other. */
  #tries = 0
  #trying: NodeJS.Timeout | undefined
  #warned = false

  constructor(options: ReaperOptions) {
    this.#options = options
    this.#leases = new Leases(options.cache)
    if (process.platform === 'linux') this.#held = this.#renew()
  }

  /** Looks at once and then every minute, in the background. */
  begin(): void {
    if (this.#held === undefined || this.#closed.signal.aborted) return
    this.#timer = setInterval(() => this.#look(), MINUTE).unref()
    this.#look()
  }

  /** After the last process has ended. What is left all the same, the next gateway sees to. */
  async close(): Promise<void> {
    clearInterval(this.#timer)
    clearTimeout(this.#trying)
    this.#closed.abort()
    if (this.#held === undefined) return
    await Promise.all([this.#held, this.#looking])
    if ((await this.#options.leaves()) || (await findMarked(new Set([GATEWAY]))).length > 0) return
    // The lease last: without it nobody comes back to the rest.
    const { forget } = this.#options
    await forget()
      .then(() => this.#leases.release())
      .catch((error: unknown) => this.#fault(error))
  }

  async #renew(): Promise<void> {
    await this.#leases.renew().catch((error: unknown) => this.#fault(error))
  }

  #look(): void {
    clearTimeout(this.#trying)
    this.#looking ??= this.#reap()
      .catch((error: unknown) => {
        if (!this.#closed.signal.aborted) this.#fault(error)
        return false
      })
      .then((done) => {
        this.#looking = undefined
        if (done) this.#tries = 0
        else this.#tryAgain()
      })
  }

  /** An engine may be back in a moment; one that stays away is asked with the next look. */
  #tryAgain(): void {
    if (this.#closed.signal.aborted) return
    const pause = this.#tries < MANY ? Math.min(SOON * 2 ** this.#tries, EAGER) : MINUTE
    this.#tries += 1
    this.#trying = setTimeout(() => this.#look(), pause).unref()
  }

  /** False where something is left. */
  async #reap(): Promise<boolean> {
    await this.#held
    await this.#renew()
    const dead = new Map<string, Neighbour>()
    for (const each of await this.#leases.neighbours()) {
      if (each.state === 'dead') dead.set(each.gateway, each)
    }
    // Without any, which is nearly always, no process has to be looked at.
    return dead.size === 0 || (await this.#end(dead))
  }
  /** Asks, insists, and looks until nothing is left; what stays is looked at later. */
  async #end(dead: ReadonlyMap<string, Neighbour>): Promise<boolean> {
    const { term } = this.#options
    const gateways = new Set(dead.keys())
    const since = performance.now()
    let left = new Map<string, Orphan>()
    // Twice nothing: a process may have been born, and its parent gone, while we looked once.
    for (let nothing = 0; nothing < 2; ) {
      const late = performance.now() - since
      const found = await findMarked(gateways)
      const still = new Map<string, Orphan>()
      for (const orphan of found) {
        const key = `${orphan.pid} ${orphan.start}`
        still.set(key, left.get(key) ?? orphan)
        left.delete(key)
      }
      for (const orphan of left.values()) this.#tell(orphan, dead.get(orphan.gateway))
      left = still
      signalAll([...left.values()], late < term ? 'SIGTERM' : 'SIGKILL')
      nothing = found.length === 0 ? nothing + 1 : 0
      if (late > term + GIVE_UP) break
      await wait(PAUSE, undefined, { signal: this.#closed.signal, ref: false })
    }
    const stuck = new Set([...left.values()].map(({ gateway }) => gateway))
    const { log } = this.#options.telemetry
    if (left.size > 0) log.error({ processes: left.size }, 'orphans could not be ended')
    const gone = [...dead.values()].filter(({ gateway }) => !stuck.has(gateway))
    if (!(await this.#clear(new Set(gone.map(({ gateway }) => gateway))))) return false
    for (const each of gone) await this.#leases.forget(each)
    return stuck.size === 0
  }

  /** False where something could not be cleared, and is tried again later. */
  async #clear(gateways: ReadonlySet<string>): Promise<boolean> {
    if (gateways.size === 0) return true
    const cleared = await Promise.allSettled(this.#options.clearers.map((clear) => clear(gateways)))
    const failed = cleared.filter(({ status }) => status === 'rejected')
    for (const { reason } of failed as PromiseRejectedResult[]) {
      if (!(reason instanceof NotYet)) this.#fault(reason)
    }
    return failed.length === 0
  }

  #tell({ pid, tool, gateway, signal }: Orphan, owner: Neighbour | undefined): void {
    // It was ending already, its stdin being closed.
    if (signal === undefined) return
    const { log, meters } = this.#options.telemetry
    meters.reaped(tool ?? '')
    log.warn({ pid, tool, gateway, gatewayPid: owner?.pid, signal }, 'orphan ended')
  }

  /** Everything works without it, but for what a crash leaves behind. */
  #fault(err: unknown): void {
    if (this.#warned) return
    this.#warned = true
    this.#options.telemetry.log.warn({ err }, 'orphans cannot be looked after')
  }
}

interface Orphan {
  readonly pid: number
  readonly start: string
  readonly gateway: string
  readonly tool: string | undefined
  /** The last one it was sent. */
  signal?: NodeJS.Signals
}

async function findMarked(gateways: ReadonlySet<string>): Promise<Orphan[]> {
  const found: Orphan[] = []
  for await (const { pid, mark } of markedProcesses()) {
    const owner = readMark(mark)
    if (owner === undefined || !gateways.has(owner.gateway)) continue
    const stat = await readStat(pid).catch(() => undefined)
    // Read again, so that mark and start are of one process.
    if (stat === undefined || (await markIn(pid)) !== mark) continue
    found.push({ pid, start: stat.start, ...owner })
  }
  return found
}

/** TERM once for each, KILL until it is gone; to the whole group, whose others may have no mark. */
function signalAll(orphans: readonly Orphan[], signal: 'SIGTERM' | 'SIGKILL'): void {
  const own = readStatNow('self')?.group
  const groups = new Set<number>()
  for (const orphan of orphans) {
    if (signal === 'SIGTERM' && orphan.signal !== undefined) continue
    // At this very moment it is still that process, and its group therefore still its group.
    const stat = readStatNow(orphan.pid)
    if (stat === undefined || stat.start !== orphan.start) continue
    orphan.signal = signal
    // 0 and 1 would mean ourselves and everybody. Our own group: we were started by a tool.
    const alone = stat.group <= 1 || stat.group === own
    if (!alone && groups.has(stat.group)) continue
    groups.add(stat.group)
    send(alone ? orphan.pid : -stat.group, signal)
  }
}

function send(target: number, signal: NodeJS.Signals): void {
  try {
    process.kill(target, signal)
  } catch {
    // It ended on its own, or is not ours to end: the next look tells.
  }
}

/** Milliseconds. */
const MINUTE = 60_000
const SOON = 1_000
const EAGER = 4_000
const PAUSE = 200
const GIVE_UP = 5_000
/** Tries, which are two minutes. */
const MANY = 30
