/** A JSON-RPC id; `1` and `"1"` are two ids. */
export type Id = string | number

export type JsonObject = { [key: string]: unknown }

export type Kind = 'request' | 'notification' | 'result' | 'error'

/** A message as it came: its bytes (one line, without its end), with kind, id and method read once. */
export interface Message {
  readonly bytes: Uint8Array
  readonly kind: Kind
  readonly id?: Id
  readonly method?: string
  /** The parsed message; parsed at most once. */
  json(): JsonObject
}

/** `legacy`: MCP 2024-11-05 to 2025-11-25 (`initialize`); `modern`: 2026-07-28 and later. */
export type Era = 'legacy' | 'modern'
