import { lookup as resolve } from 'node:dns/promises'

/** All the addresses of a name, in the order in which they came; rejects where there is none. */
export type Lookup = (host: string) => Promise<readonly string[]>

/**
 * Looks up one tool's names, one after the other: a lookup holds a thread of this process for as
 * long as a name server is silent, and the other tools' names need threads too. Whoever asks for
 * a name that is being looked up gets that answer; nothing is kept after it.
 */
export class Names {
  readonly #lookup: Lookup
  readonly #asked = new Map<string, Promise<readonly string[]>>()
  #turn: Promise<unknown> = Promise.resolve()

  constructor(lookup: Lookup = lookupAll) {
    this.#lookup = lookup
  }

  /** Undefined where too many wait already. */
  ask(host: string): Promise<readonly string[]> | undefined {
    const asked = this.#asked.get(host)
    if (asked !== undefined || this.#asked.size >= MOST) return asked
    const answer = this.#turn.then(() => this.#lookup(host)).finally(() => this.#asked.delete(host))
    this.#turn = answer.catch(() => {})
    this.#asked.set(host, answer)
    return answer
  }
}

async function lookupAll(host: string): Promise<string[]> {
  const found = await resolve(host, { all: true, order: 'verbatim' })
  return found.map(({ address }) => address)
}

/** Names in line. */
const MOST = 64
