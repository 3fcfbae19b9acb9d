import { randomUUID } from 'node:crypto'
import {
  mkdir,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  stat,
  utimes,
  writeFile,
} from 'node:fs/promises'
import { join } from 'node:path'
import { GATEWAY } from '../mark.ts'
import { readStat } from './proc.ts'

/** A gateway that works with the same cache folder, or did. */
export interface Neighbour {
  readonly gateway: string
  readonly pid: number
  readonly state: 'alive' | 'dead'
}

/**
 * How gateways know of each other: each keeps a file in `gateways/` of the cache folder that says
 * which process it is, so that others can tell whether it lives. Process ids are given out again,
 * so its start, the boot and the namespace that ids count in belong to it. Linux only.
 */
export class Leases {
  readonly #folder: string
  readonly #own: string
  #identity: Promise<Identity> | undefined

  constructor(cache: string) {
    this.#folder = join(cache, 'gateways')
    this.#own = join(this.#folder, GATEWAY)
  }

  /** Writes our own, or says that it still holds: the cache is a folder that may be emptied. */
  async renew(): Promise<void> {
    const now = new Date()
    try {
      await utimes(this.#own, now, now)
    } catch {
      await this.#write()
    }
  }

  async release(): Promise<void> {
    await rm(this.#own, { force: true })
  }

  /** Those of whom it can be told whether they live, at most `MOST`. */
  async neighbours(): Promise<Neighbour[]> {
    const found: Neighbour[] = []
    const names = await readdir(this.#folder).catch(() => [])
    for (const name of names.slice(0, MOST)) {
      if (name === GATEWAY) continue
      const neighbour = await this.#look(name).catch(() => undefined)
      if (neighbour !== undefined) found.push(neighbour)
    }
    return found
  }

  /** Nothing is left of that one, as far as this machine knows. */
  async forget({ gateway }: Neighbour): Promise<void> {
    await rm(join(this.#folder, gateway), { force: true })
  }

  async #write(): Promise<void> {
    this.#identity ??= identify()
    const draft = join(this.#folder, `.${randomUUID()}`)
    await mkdir(this.#folder, { recursive: true, mode: 0o700 })
    await writeFile(draft, JSON.stringify(await this.#identity), { mode: 0o600 })
    await rename(draft, this.#own)
  }

  /** Undefined where nothing can be told. */
  async #look(name: string): Promise<Neighbour | undefined> {
    const path = join(this.#folder, name)
    const { mtimeMs, uid } = await stat(path)
    // Other users' processes may be hidden from us, and are not ours to end.
    if (process.getuid?.() !== 0 && process.getuid?.() !== uid) return undefined
    this.#identity ??= identify()
    const lease = FORM.test(name) ? readLease(await readFile(path, 'utf8')) : undefined
    const state = lease && (await stateOf(lease, await this.#identity))
    if (lease !== undefined && (state === 'alive' || state === 'dead')) {
      return { gateway: name, pid: lease.pid, state }
    }
    // Wherever it lives, it would have renewed its lease; drafts that were left go the same way.
    if (Date.now() - mtimeMs > OLD) await rm(path, { force: true })
    return undefined
  }
}

interface Identity {
  readonly pid: number
  /** Clock ticks from boot to its start. */
  readonly start: string
  readonly boot: string
  /** What process ids count in, such as `pid:[4026531836]`. */
  readonly namespace: string
}

async function identify(): Promise<Identity> {
  const [own, boot, namespace] = await Promise.all([
    readStat('self'),
    readFile('/proc/sys/kernel/random/boot_id', 'utf8'),
    readlink('/proc/self/ns/pid'),
  ])
  if (own === undefined) throw new Error('/proc is not there')
  return { pid: process.pid, start: own.start, boot: boot.trim(), namespace }
}

/** Undefined where its process ids are not ours: it may live in another container. */
async function stateOf(lease: Identity, own: Identity): Promise<Neighbour['state'] | undefined> {
  if (lease.boot !== own.boot) return 'dead'
  if (lease.namespace !== own.namespace) return undefined
  const running = await readStat(lease.pid)
  if (running === undefined || running.start !== lease.start) return 'dead'
  // A zombie has ended; its parent just does not ask.
  return running.state === 'Z' || running.state === 'X' ? 'dead' : 'alive'
}

/** Undefined for what is no lease. */
function readLease(text: string): Identity | undefined {
  try {
    const { pid, start, boot, namespace } = JSON.parse(text)
    const told = [start, boot, namespace].every((part) => typeof part === 'string')
    return told && Number.isInteger(pid) && pid > 0 ? { pid, start, boot, namespace } : undefined
  } catch {
    return undefined
  }
}

const FORM = /^[0-9a-f]{16}$/
const MOST = 1_000
/** Milliseconds; a living gateway renews its lease each minute. */
const OLD = 24 * 3_600_000
