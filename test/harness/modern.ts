import { openStream, type RawStream, type Reply, raw } from './raw.ts'
import { ACCEPT, type Json } from './session.ts'

export const MODERN = '2026-07-28'

export interface ModernOptions {
  readonly capabilities?: Json
  readonly headers?: Readonly<Record<string, string>>
  /** More of `_meta`. */
  readonly meta?: Json
  readonly id?: string | number
}

/** A modern request as the wire has it, whole: headers, `_meta` and body. */
export function modernRequest(method: string, params: Json = {}, options: ModernOptions = {}) {
  const name = nameOf(params)
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': MODERN,
    'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1.0.0' },
    'io.modelcontextprotocol/clientCapabilities': options.capabilities ?? {},
    ...options.meta,
  }
  return {
    method: 'POST',
    headers: {
      accept: ACCEPT,
      'mcp-protocol-version': MODERN,
      'mcp-method': method,
      ...(name === undefined ? {} : { 'mcp-name': name }),
      ...options.headers,
    },
    body: { jsonrpc: '2.0', id: options.id ?? 1, method, params: { ...params, _meta } },
  } as const
}

/** Sends it and waits for its whole answer. */
export function modern(
  url: string,
  method: string,
  params: Json = {},
  options: ModernOptions = {},
): Promise<Reply> {
  return raw(url, modernRequest(method, params, options))
}

/** Sends it and hands its answer over as it comes. */
export function modernStream(
  url: string,
  method: string,
  params: Json = {},
  options: ModernOptions = {},
): Promise<RawStream> {
  return openStream(url, modernRequest(method, params, options))
}

function nameOf({ name, uri }: Json): string | undefined {
  return typeof name === 'string' ? name : typeof uri === 'string' ? uri : undefined
}
