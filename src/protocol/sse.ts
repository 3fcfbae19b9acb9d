export { type ReceivedEvent, SseReader } from './sse-reader.ts'

export interface SseEvent {
  readonly id?: string
  readonly event?: string
  /** A message's bytes hold no CR and no LF; other data may. */
  readonly data: Uint8Array | string
  /** Milliseconds. */
  readonly retry?: number
}

/** One event as it goes on the wire, in one Buffer that shares no memory with `data`. */
export function encodeEvent(event: SseEvent): Buffer {
  const { data } = event
  const head = `${fields(event)}data: `
  if (typeof data === 'string') return Buffer.from(`${head}${lines(data)}${END}`)
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength)
  if (bytes.includes(LF) || bytes.includes(CR)) return encodeEvent({ ...event, data: `${bytes}` })
  const length = Buffer.byteLength(head)
  const out = Buffer.allocUnsafe(length + bytes.length + END.length)
  out.write(head)
  bytes.copy(out, length)
  out.write(END, length + bytes.length, 'latin1')
  return out
}

/**
 * The same in parts, in the order of writing, so that megabytes of data are not copied: a view of
 * `data` is one of them. `data` must hold no CR and no LF.
 */
export function eventParts(event: SseEvent & { readonly data: Uint8Array }): Uint8Array[] {
  return [Buffer.from(`${fields(event)}data: `), event.data, END_BYTES]
}

/** A comment: keeps a stream alive and means nothing. */
export function encodeComment(text: string): Buffer {
  return Buffer.from(`: ${text.replace(BREAK, '\n: ')}\n\n`)
}

function fields({ id, event, retry }: SseEvent): string {
  let out = ''
  if (id !== undefined) out += `id: ${oneLine(id)}\n`
  if (event !== undefined) out += `event: ${oneLine(event)}\n`
  if (retry !== undefined) out += `retry: ${retry}\n`
  return out
}

function oneLine(value: string): string {
  return value.replace(BREAK, ' ')
}

function lines(data: string): string {
  return data.replace(BREAK, '\ndata: ')
}

const LF = 10
const CR = 13
const END = '\n\n'
const END_BYTES = Buffer.from(END)
const BREAK = /\r\n|\r|\n/g
