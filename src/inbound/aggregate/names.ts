import { createHash } from 'node:crypto'

/** A function or prompt: whose it is, and its own name there. */
export interface Own {
  readonly tool: string
  readonly name: string
}

/**
 * All of them by the name each has among all: `tool__name` with `_` for whatever else than
 * `A-Za-z0-9_-` is in it, at most 64 characters. Where two would have one name, or it is too long,
 * a hash of tool and name ends it. The same set gives the same names in whatever order it comes;
 * of what is there twice, the first counts.
 */
export function listNames<T extends Own>(all: Iterable<T>): Map<string, T> {
  const places = new Map<string, Place>()
  const known = new Set<string>()
  const entries: { readonly own: T; readonly claim: Claim }[] = []
  for (const own of all) {
    const identity = `${own.tool}/${own.name}`
    if (known.has(identity)) continue
    known.add(identity)
    const claim = new Claim(own)
    entries.push({ own, claim })
    settle(places, claim)
  }
  return new Map(entries.map(({ own, claim }) => [claim.name, own]))
}

/** Who has a name; nobody where two with the same right to it met. */
interface Place {
  readonly rank: number
  readonly holder: Claim | undefined
}

/** Whoever has the lesser right to a name goes on to its next; two with the same right both do. */
function settle(places: Map<string, Place>, first: Claim): void {
  const waiting = [first]
  for (let claim = waiting.pop(); claim !== undefined; claim = waiting.pop()) {
    const { name, rank } = claim
    const taken = places.get(name)
    if (taken === undefined || taken.rank < rank) places.set(name, { rank, holder: claim })
    else if (taken.rank === rank) places.set(name, { rank, holder: undefined })
    if (taken === undefined) continue
    if (taken.holder !== undefined && taken.rank <= rank) waiting.push(taken.holder.next())
    if (taken.rank >= rank) waiting.push(claim.next())
  }
}

/** The name that is wanted now: plain first, then with more and more of the hash. */
class Claim {
  readonly #own: Own
  readonly #plain: string
  #step: number
  name: string

  constructor(own: Own) {
    this.#own = own
    this.#plain = `${own.tool}__${own.name}`.replaceAll(/[^A-Za-z0-9_-]/gu, '_')
    this.#step = this.#plain.length > LONGEST ? 1 : 0
    this.name = this.#write()
  }

  /** What has a hash was made to be told apart; then what needed no change, then the rest. */
  get rank(): number {
    if (this.#step > 0) return this.#step + 1
    return this.#plain === `${this.#own.tool}__${this.#own.name}` ? 1 : 0
  }

  next(): this {
    this.#step += 1
    this.name = this.#write()
    return this
  }

  #write(): string {
    const length = HASHES[this.#step]
    if (length === undefined) return this.#plain
    const hash = createHash('sha256').update(`${this.#own.tool}/${this.#own.name}`)
    const suffix = `_${hash.digest('base64url').slice(0, length)}`
    return this.#plain.slice(0, LONGEST - suffix.length) + suffix
  }
}

/** Characters of a name; what most model providers take for a function's. */
const LONGEST = 64
/** Characters of the hash at each step; the last is all of it, which no two share. */
const HASHES = [undefined, 8, 16, 43]
