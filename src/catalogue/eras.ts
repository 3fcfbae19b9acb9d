import type { Spoken } from '../pool/lease.ts'
import type { Probed } from '../pool/probes.ts'
import type { Declaration } from '../tool/declaration.ts'
import { retryAfter } from './retry.ts'

/** Which eras each tool version speaks: declared in its file, else found out once. */
export class Eras {
  readonly #find: (tool: Declaration) => Promise<Probed>
  readonly #known = new Map<string, Probed>()
  readonly #finding = new Map<string, Promise<Spoken>>()

  constructor(find: (tool: Declaration) => Promise<Probed>) {
    this.#find = find
  }

  /** Legacy where it cannot be found out; what then is started says why. */
  of(tool: Declaration): Spoken | Promise<Spoken> {
    const key = keyOf(tool)
    const known = declared(tool) ?? this.#known.get(key) ?? this.#finding.get(key)
    if (known !== undefined) return known
    const finding = this.#look(tool, key)
    this.#finding.set(key, finding)
    return finding
  }

  /** It is called legacy because it said nothing in time. */
  isGuessed(tool: Declaration): boolean {
    return this.#known.get(keyOf(tool))?.silent === true
  }

  /** It was found out otherwise. */
  set(tool: Declaration, { era, dual }: Spoken): void {
    this.#known.set(keyOf(tool), { era, dual, silent: false })
  }

  forget(tool: Declaration): void {
    this.#known.delete(keyOf(tool))
    this.#finding.delete(keyOf(tool))
  }

  async #look(tool: Declaration, key: string): Promise<Spoken> {
    const found = await this.#find(tool).catch(({ code }: { code?: string }) => {
      setTimeout(() => this.#again(key), retryAfter(code)).unref()
      return UNKNOWN
    })
    // Else it was let go meanwhile.
    if (this.#finding.delete(key)) this.#known.set(key, found)
    return found
  }

  #again(key: string): void {
    if (this.#known.get(key) === UNKNOWN) this.#known.delete(key)
  }
}

const UNKNOWN: Probed = { era: 'legacy', dual: false, silent: false }

function keyOf({ name, version }: Declaration): string {
  return `${name}@${version}`
}

/** The child of an inline tool is our own. */
function declared({ era, runtime }: Declaration): Spoken | undefined {
  if (runtime.kind === 'inline') return { era: 'legacy', dual: false }
  return era === null ? undefined : { era, dual: false }
}
