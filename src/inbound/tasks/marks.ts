import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Link } from '../../call/link.ts'

/**
 * Signs the ids of tasks, so that one which was given to a caller is of no use to another. Nothing
 * is kept: `{id}.{signature}`.
 */
export class TaskMarks {
  readonly #key: Buffer

  /** `key`: null makes one for this process. */
  constructor(key: string | null) {
    this.#key =
      key === null ? randomBytes(32) : createHash('sha256').update(`tasks ${key}`).digest()
  }

  /** A tool's id as this caller is given it. */
  give(id: string, { caller, tool }: Link): string {
    const text = JSON.stringify([caller.id, tool.name, id])
    const signature = createHmac('sha256', this.#key).update(text).digest('base64url')
    return `${id}.${signature.slice(0, LENGTH)}`
  }

  /** The tool's id in one that this caller was given; undefined in any other. */
  take(given: string, link: Link): string | undefined {
    const id = given.slice(0, -LENGTH - 1)
    const [one, other] = [Buffer.from(given), Buffer.from(this.give(id, link))]
    return one.length === other.length && timingSafeEqual(one, other) ? id : undefined
  }
}

/** Characters of a signature: 132 bits. */
const LENGTH = 22
