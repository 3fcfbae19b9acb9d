import type { Id, JsonObject, Kind, Message } from './message.ts'

/** What a message says of itself. */
export interface Outside {
  readonly kind: Kind
  readonly id?: Id
  readonly method?: string
}

/** A message written here, as text in parts, so that a new id or `_meta` costs no new writing. */
export interface Composition extends Outside {
  /** The envelope's members but version, id and params: `,"method":"ping"`. */
  readonly front: string
  /** The params without their `_meta`. */
  readonly params?: string
  /** What was in `params._meta`, without what has been added since. */
  readonly meta?: Written
  /** What was added to `params._meta` since; undefined takes an entry away. */
  readonly added?: Written
  /** The message as an object, where it is at hand: under an older id, without `added`. */
  readonly object?: JsonObject
}

/** An object for writing, and its text: deep nesting is to fail here, where it is an answer. */
interface Written {
  readonly object: JsonObject
  readonly text: string
}

/**
 * Write a message from an object; id and version are taken from elsewhere. Throws what
 * JSON.stringify throws.
 *
 * @param written as `parseExact` gives it
 * @param object the same as anyone reads it
 */
export function compose(
  outside: Outside,
  written: JsonObject,
  object?: JsonObject,
): ComposedMessage {
  const { jsonrpc: _jsonrpc, id: _id, params, ...others } = written
  const front = `,${JSON.stringify(others).slice(1, -1)}`
  const composition = { ...outside, front, ...(object !== undefined && { object }) }
  if (params === undefined) return new ComposedMessage(composition)
  const { _meta: meta, ...own } = params as { _meta?: JsonObject }
  const text = JSON.stringify(own)
  if (meta === undefined) return new ComposedMessage({ ...composition, params: text })
  return new ComposedMessage({ ...composition, params: text, meta: asWritten(meta) })
}

function asWritten(object: JsonObject): Written {
  return { object, text: JSON.stringify(object) }
}

/** The same without these entries. */
function without(meta: Written, entries: JsonObject): Written {
  const gone: JsonObject = {}
  let any = false
  for (const key in entries) {
    if (!Object.hasOwn(meta.object, key)) continue
    gone[key] = undefined
    any = true
  }
  return any ? asWritten({ ...meta.object, ...gone }) : meta
}

const NOTHING = asWritten({})

export class ComposedMessage implements Message {
  readonly kind: Kind
  readonly id?: Id
  readonly method?: string
  readonly #parts: Composition
  #object: JsonObject | undefined
  #bytes: Buffer | undefined

  constructor(parts: Composition) {
    this.kind = parts.kind
    if (parts.id !== undefined) this.id = parts.id
    if (parts.method !== undefined) this.method = parts.method
    this.#parts = parts
  }

  get bytes(): Buffer {
    this.#bytes ??= Buffer.from(this.#text())
    return this.#bytes
  }

  json(): JsonObject {
    this.#object ??= this.#read()
    return this.#object
  }

  /** The same message under another id. */
  withId(id: Id): ComposedMessage {
    return new ComposedMessage({ ...this.#parts, id })
  }

  /** The same message with these entries in `params._meta`; undefined takes one away. */
  withMeta(entries: JsonObject): ComposedMessage {
    const { params = '{}', meta = NOTHING, added } = this.#parts
    return new ComposedMessage({
      ...this.#parts,
      params,
      meta: without(meta, entries),
      added: asWritten({ ...added?.object, ...entries }),
    })
  }

  #read(): JsonObject {
    const { id, object, added } = this.#parts
    if (object === undefined) return JSON.parse(this.#text()) as JsonObject
    const own = id === undefined || object.id === id ? object : { ...object, id }
    if (added === undefined) return own
    const params = own.params as { _meta?: JsonObject } | undefined
    return { ...own, params: { ...params, _meta: { ...params?._meta, ...added.object } } }
  }

  #text(): string {
    const { kind, id, front, params, meta, added } = this.#parts
    let text = '{"jsonrpc":"2.0"'
    if (id !== undefined) text += `,"id":${JSON.stringify(id)}`
    else if (kind === 'error') text += ',"id":null'
    text += front
    if (params === undefined) return `${text}}`
    if (meta === undefined) return `${text},"params":${params}}`
    return `${text},"params":${joined(`{"_meta":${joined(meta.text, added?.text)}}`, params)}}`
  }
}

/** The text of one object with the members of both. */
function joined(one: string, other = '{}'): string {
  if (other === '{}') return one
  return one === '{}' ? other : `${one.slice(0, -1)},${other.slice(1)}`
}
