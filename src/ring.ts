/**
 * What comes and goes with every call, by rising numbers of our own. Each has a place, which it
 * leaves empty. A Map would make a new table every few dozen calls; V8 lets the old one lead to the
 * next, so that once one of them is in its old space, all that the later ones ever held stays until
 * the next full collection.
 */
export class Ring<T> {
  #keys: number[] = new Array(SIZE).fill(0)
  #values: (T | undefined)[] = new Array(SIZE).fill(undefined)
  #last = 0
  #size = 0

  get size(): number {
    return this.#size
  }

  /** The number it is found by from now on, never given before. */
  add(value: T & {}): number {
    if (this.#size * 2 >= this.#values.length) this.#grow()
    // What stays for long keeps its place; those that come by go on to the next.
    do this.#last += 1
    while (this.#values[this.#place(this.#last)] !== undefined)
    this.#put(this.#last, value)
    this.#size += 1
    return this.#last
  }

  get(key: unknown): T | undefined {
    if (typeof key !== 'number') return undefined
    const place = this.#place(key)
    return this.#keys[place] === key ? this.#values[place] : undefined
  }

  /** Takes it out. */
  take(key: unknown): T | undefined {
    const value = this.get(key)
    if (value === undefined) return undefined
    this.#values[this.#place(key as number)] = undefined
    this.#size -= 1
    return value
  }

  /** In no order. */
  keys(): number[] {
    return this.#keys.filter((_, place) => this.#values[place] !== undefined)
  }

  /** In no order. */
  values(): T[] {
    return this.#values.filter((value) => value !== undefined)
  }

  #place(key: number): number {
    return key % this.#values.length
  }

  #put(key: number, value: T): void {
    const place = this.#place(key)
    this.#keys[place] = key
    this.#values[place] = value
  }

  /** Two that had places of their own still have: what differs in the smaller ring does here. */
  #grow(): void {
    const open = this.keys().map((key) => [key, this.get(key) as T] as const)
    const size = this.#values.length * 2
    this.#keys = new Array(size).fill(0)
    this.#values = new Array(size).fill(undefined)
    for (const [key, value] of open) this.#put(key, value)
  }
}

const SIZE = 64
