/**
 * What the clients that come next are expected to say at `initialize`: what the last ones said.
 * Undefined is one that says nothing there, and needs a process that was told nothing.
 */
export class Expected {
  readonly #most: number
  /** The last one is last. */
  #hellos: (string | undefined)[] = []

  /** At most `most` different ones are remembered. */
  constructor(most: number) {
    this.#most = most
  }

  note(hello: string | undefined): void {
    this.#hellos = [...this.#hellos.filter((each) => each !== hello), hello].slice(-this.#most)
  }

  /** The one that the fewest of what is ready are for; of several, the one that came last. */
  scarcest(ready: readonly (string | undefined)[]): string | undefined {
    const all = this.#hellos.map((hello) => ({ hello, count: countOf(ready, hello) }))
    const least = Math.min(...all.map(({ count }) => count))
    return all.findLast(({ count }) => count === least)?.hello
  }

  /** Index of what is ready for nobody that is expected, else of one that others are like; the first. */
  dispensable(ready: readonly (string | undefined)[]): number {
    const odd = ready.findIndex((hello) => !this.#hellos.includes(hello))
    return odd >= 0 ? odd : ready.findIndex((hello) => countOf(ready, hello) > 1)
  }
}

function countOf(ready: readonly (string | undefined)[], hello: string | undefined): number {
  return ready.filter((each) => each === hello).length
}
