import type { Connection } from '../outbound/connection.ts'
import type { SharedInstance } from './instance.ts'

/**
 * The process that serves, and the one that did while it may hang: new calls go to another until
 * that is known. It serves again, or is replaced and ended when its other calls had their time.
 */
export class Serving {
  /** What new calls go to. */
  current: SharedInstance | undefined
  /** Milliseconds that open calls of a process are given before it is ended. */
  readonly #grace: number
  /** It may hang. */
  #doubted: SharedInstance | undefined

  constructor(grace: number) {
    this.#grace = grace
  }

  /** What can be told something. */
  get any(): SharedInstance | undefined {
    return this.current ?? this.#doubted
  }

  get both(): readonly (SharedInstance | undefined)[] {
    return [this.current, this.#doubted]
  }

  /** One is doubted at a time. */
  doubt(connection: Connection): void {
    if (this.current?.connection !== connection || this.#doubted !== undefined) return
    this.#doubted = this.current
    this.current = undefined
  }

  /** `replaced`: another is being started. True: it serves again. */
  trust(connection: Connection, replaced: boolean): boolean {
    const instance = this.#doubted
    if (instance === undefined || instance.connection !== connection) return false
    this.#doubted = undefined
    if (this.current === undefined && !replaced) {
      this.current = instance
      return true
    }
    void this.#drained(instance).then(() => instance.process.close('it was replaced'))
    return false
  }

  condemn(connection: Connection, reason: string): void {
    const found = this.take(connection)
    if (found !== undefined) void this.#drained(found).then(() => found.process.kill(reason))
  }

  /** It serves no longer, and is the caller's to end. */
  take(connection: Connection): SharedInstance | undefined {
    const found = this.both.find((each) => each?.connection === connection)
    if (found !== undefined) this.ended(found)
    return found
  }

  /** It serves no longer. */
  ended(instance: SharedInstance): void {
    if (this.current === instance) this.current = undefined
    if (this.#doubted === instance) this.#doubted = undefined
  }

  #drained({ connection }: SharedInstance): Promise<void> {
    return connection.drained(this.#grace)
  }
}
