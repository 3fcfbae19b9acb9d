import { existsSync } from 'node:fs'
import type { Environment } from '../../config/environment.ts'
import { GATEWAY } from '../../mark.ts'
import type { Engine } from './engine.ts'
import { type Filter, type Filters, findFilters, type Rule } from './iptables.ts'
import { removeLater } from './remove.ts'

/**
 * What keeps the containers of one network from this machine: its bridge has an address here, at
 * which everything that listens on all addresses would answer. Nothing passes but to open doors.
 */
export interface Wall {
  readonly bridge: string
  /** Sets again what somebody has removed. Rejects where it cannot be. */
  stand(): Promise<void>
  /** Lets TCP to this port of this machine pass; the answer ends that and never rejects. */
  open(address: string, port: number): Promise<() => Promise<void>>
  /** After the network is gone. Rejects where some of it may still be there. */
  fall(): Promise<void>
}

/**
 * What walls are built with here, tried and not believed; else why there can be none, in the words
 * of a refusal.
 */
export async function findWalls(
  { socket, facts }: Pick<Engine, 'socket' | 'facts'>,
  environment: Environment,
): Promise<Filters | string> {
  if (socket === null) return 'an engine that is reached over TCP may be on another machine'
  if (facts.rootless) return 'the networks of a rootless engine are not this machine’s'
  const path = environment.PATH ?? ''
  const known = tried.get(path)
  if (known !== undefined && performance.now() < known.until) return known.walls
  const fresh = { walls: tryWalls(environment), until: Number.POSITIVE_INFINITY }
  tried.set(path, fresh)
  const forget = () => {
    fresh.until = performance.now() + AGAIN
  }
  fresh.walls.then((walls) => typeof walls === 'string' && forget(), forget)
  return fresh.walls
}

/** By PATH. What does not work may have been mended some seconds later. */
const tried = new Map<string, { readonly walls: Promise<Filters | string>; until: number }>()

async function tryWalls(environment: Environment): Promise<Filters | string> {
  const filters = await findFilters(environment)
  if (typeof filters === 'string') return filters
  try {
    await (await buildWall(filters, bridgeName(0))).fall()
  } catch (error) {
    return `iptables does not work here: ${(error as Error).message}`.replace(/\.$/, '')
  }
  return filters
}

/** Milliseconds. */
const AGAIN = 5_000

/** The name of a network's bridge: an interface's has at most 15 characters. */
export function bridgeName(number: number): string {
  return `tg${GATEWAY.slice(0, 8)}${number.toString(36)}`
}

/** On this machine. */
export function isThere(bridge: string): boolean {
  return existsSync(`/sys/class/net/${bridge}`)
}

/** Before the network is made, so that there is no moment without it. Leaves nothing on failure. */
export async function buildWall(filters: Filters, bridge: string): Promise<Wall> {
  const from = ['-i', bridge]
  const kept: readonly Rule[] = [
    ['INPUT', ...from, ...OURS, '-j', 'DROP'],
    // What a changed route would lead through, to other machines and other networks of this one.
    ['FORWARD', ...from, ...OURS, '-j', 'DROP'],
  ]
  // What was not set is not removed either: it could not be, where nothing can.
  const stones = filters.map((filter) => kept.map((rule) => ({ filter, rule, laid: false })))
  let standing: Promise<unknown> = Promise.resolve()
  const wall: Wall = {
    bridge,
    async stand() {
      const before = standing.catch(() => {})
      standing = before.then(() =>
        each(stones, async (stone) => {
          if (await stone.filter.has(stone.rule)) return
          stone.laid = true
          await stone.filter.insert(stone.rule)
        }),
      )
      await standing
    },
    async open(address, port) {
      const [filter] = filters
      const to = ['-p', 'tcp', '-d', address, '--dport', String(port)]
      const rule: Rule = ['INPUT', ...from, ...to, ...OURS, '-j', 'ACCEPT']
      await filter?.insert(rule)
      doors += 1
      const name = `${bridge} door ${doors}`
      const close = async () => void (await filter?.remove(rule))
      return () => close().catch(() => removeLater(name, close))
    },
    async fall() {
      await each(stones, async ({ laid, filter, rule }) => laid && filter.remove(rule))
    },
  }
  try {
    await wall.stand()
  } catch (error) {
    await wall.fall().catch(() => removeLater(bridge, () => wall.fall()))
    throw error
  }
  return wall
}

let doors = 0

/** One after the other in each filter, the filters at once; all are done when it rejects. */
async function each<Stone>(
  stones: readonly (readonly Stone[])[],
  work: (stone: Stone) => Promise<unknown>,
): Promise<void> {
  const done = await Promise.allSettled(
    stones.map(async (row) => {
      for (const stone of row) await work(stone)
    }),
  )
  for (const end of done) if (end.status === 'rejected') throw end.reason
}

/**
 * Removes the rules that dead gateways left, and no others. Rejects where some may still be there,
 * such as those of a bridge that is: something in it could still run.
 */
export async function clearWalls(
  dead: ReadonlySet<string>,
  environment: Environment,
): Promise<void> {
  const filters = await findFilters(environment)
  if (typeof filters === 'string') return
  const standing = (await Promise.all(filters.map((filter) => clear(filter, dead)))).flat()
  if (standing.length > 0) throw new Error(`bridges are still there: ${standing.join(', ')}`)
}

/** The bridges that are still there. */
async function clear(filter: Filter, dead: ReadonlySet<string>): Promise<string[]> {
  const standing: string[] = []
  for (const rule of await filter.rules()) {
    const gateway = rule[rule.indexOf('--comment') + 1]?.match(FORM)?.[1]
    if (gateway === undefined || !dead.has(gateway)) continue
    const bridge = rule[rule.indexOf('-i') + 1] ?? ''
    if (isThere(bridge)) standing.push(bridge)
    else await filter.remove(rule)
  }
  return standing
}

/** In every rule of ours, and in nobody else's. */
const OURS = ['-m', 'comment', '--comment', `toolgate:${GATEWAY}`]
const FORM = /^toolgate:([0-9a-f]{16})$/
