import type { Id, JsonObject, Kind, Message } from './message.ts'

export function requestMessage(id: Id, method: string, params?: JsonObject): Message {
  return new ComposedMessage({ kind: 'request', id, method, rest: call(method, params) })
}

export function notificationMessage(method: string, params?: JsonObject): Message {
  return new ComposedMessage({ kind: 'notification', method, rest: call(method, params) })
}

export function resultMessage(id: Id, result: unknown): Message {
  return new ComposedMessage({ kind: 'result', id, rest: `,"result":${text(result)}}` })
}

/** `id` is null where the request's own could not be read. */
export function errorMessage(
  id: Id | null,
  code: number,
  message: string,
  data?: unknown,
): Message {
  const rest = `,"error":${JSON.stringify({ code, message, data })}}`
  return new ComposedMessage({ kind: 'error', rest, ...(id !== null && { id }) })
}

export interface Composition {
  readonly kind: Kind
  readonly id?: Id
  readonly method?: string
  /** JSON text of the message from behind its id on: `,"method":"ping"}`. */
  readonly rest: string
  /** The message as an object, where it is at hand; its id may be an older one. */
  readonly object?: JsonObject
}

/** A message written here: everything but its id as text, so that a new id costs no new writing. */
export class ComposedMessage implements Message {
  readonly kind: Kind
  readonly id?: Id
  readonly method?: string
  readonly #rest: string
  #object: JsonObject | undefined
  #bytes: Buffer | undefined

  constructor({ kind, id, method, rest, object }: Composition) {
    this.kind = kind
    if (id !== undefined) this.id = id
    if (method !== undefined) this.method = method
    this.#rest = rest
    this.#object = object
  }

  get bytes(): Buffer {
    this.#bytes ??= Buffer.from(this.#text())
    return this.#bytes
  }

  json(): JsonObject {
    this.#object ??= JSON.parse(this.#text()) as JsonObject
    if (this.id !== undefined && this.#object.id !== this.id) {
      this.#object = { ...this.#object, id: this.id }
    }
    return this.#object
  }

  /** The same message under another id. */
  withId(id: Id): ComposedMessage {
    const { kind, method } = this
    return new ComposedMessage({
      kind,
      id,
      rest: this.#rest,
      ...(method !== undefined && { method }),
      ...(this.#object !== undefined && { object: this.#object }),
    })
  }

  #text(): string {
    if (this.id !== undefined)
      return `{"jsonrpc":"2.0","id":${JSON.stringify(this.id)}${this.#rest}`
    return this.kind === 'error'
      ? `{"jsonrpc":"2.0","id":null${this.#rest}`
      : `{"jsonrpc":"2.0"${this.#rest}`
  }
}

function call(method: string, params: JsonObject | undefined): string {
  const name = `,"method":${JSON.stringify(method)}`
  return params === undefined ? `${name}}` : `${name},"params":${JSON.stringify(params)}}`
}

function text(value: unknown): string {
  return JSON.stringify(value) ?? '{}'
}
