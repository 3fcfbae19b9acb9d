/**
 * What the clients that come next are expected to say at `initialize`: what the last ones said, once
 * they have said it twice, since some say something else each time. Undefined is a client that says
 * nothing there, and needs a process that was told nothing, as one does who is not expected.
 */
export class Expected {
  readonly #most: number
  /** The last one is last. */
  #hellos: (string | undefined)[] = []
  /** Said once. */
  #new: string[] = []

  /** At most `most` different ones are expected. */
  constructor(most: number) {
    this.#most = most
  }

  /** Whether it is expected again. */
  note(hello: string | undefined): boolean {
    if (hello !== undefined && !this.#hellos.includes(hello) && !this.#new.includes(hello)) {
      this.#new = [...this.#new, hello].slice(-NEW)
      return false
    }
    this.#new = this.#new.filter((each) => each !== hello)
    this.#hellos = [...this.#hellos.filter((each) => each !== hello), hello].slice(-this.#most)
    return true
  }

  /** A process that was told it was of no use. */
  forget(hello: string): void {
    this.#hellos = this.#hellos.filter((each) => each !== hello)
  }

  /** The one that the fewest of what is ready are for; of several, the one that came last. */
  scarcest(ready: readonly (string | undefined)[]): string | undefined {
    const all = this.#hellos.map((hello) => ({ hello, count: countOf(ready, hello) }))
    const least = Math.min(...all.map(({ count }) => count))
    return all.findLast(({ count }) => count === least)?.hello
  }

  /** Index of what is ready for nobody that is expected, else of the last of several alike; or -1. */
  dispensable(ready: readonly (string | undefined)[]): number {
    const odd = ready.findIndex((hello) => !this.#hellos.includes(hello))
    return odd >= 0 ? odd : ready.findLastIndex((hello) => countOf(ready, hello) > 1)
  }
}

/** How many that were said once are remembered. */
const NEW = 16

function countOf(ready: readonly (string | undefined)[], hello: string | undefined): number {
  return ready.filter((each) => each === hello).length
}
