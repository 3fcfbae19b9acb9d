import type { Directory } from './directory.ts'
import { ALL_KINDS, KINDS, type Kind } from './lists.ts'

/** Which lists are others than a client was last told of. */
export class Changes {
  readonly #told = new Map<Kind, string>()

  constructor(directory: Directory) {
    for (const kind of ALL_KINDS) this.told(directory, kind)
  }

  /** The client has this list. */
  told(directory: Directory, kind: Kind): void {
    this.#told.set(kind, directory.digest(kind))
  }

  /** The notifications that tell of what is new; it is told of with that. */
  from(directory: Directory): ReadonlySet<string> {
    const kinds = ALL_KINDS.filter((kind) => this.#told.get(kind) !== directory.digest(kind))
    for (const kind of kinds) this.told(directory, kind)
    return new Set(kinds.map((kind) => KINDS[kind].changed))
  }
}
