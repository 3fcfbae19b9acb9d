import type { Id, JsonObject, Message } from './message.ts'
import { isObject } from './object.ts'
import { peek } from './peek.ts'
import { ToolMessage, WHOLE } from './tool-line.ts'
import { rewrite, withId } from './with-id.ts'

/** Members that results are given, written once for all of them. */
export class Addition {
  readonly members: JsonObject
  readonly meta: JsonObject
  /** The members and `_meta` as they stand in an object, without its braces. */
  readonly text: string
  readonly names: readonly string[]

  /** `meta` becomes part of the result's `_meta`. */
  constructor(members: JsonObject, meta: JsonObject = {}) {
    this.members = members
    this.meta = meta
    const all = Object.keys(meta).length === 0 ? members : { ...members, _meta: meta }
    this.text = JSON.stringify(all).slice(1, -1)
    this.names = Object.keys(all)
  }
}

/**
 * A tool's result under another id and with these members, which win over its own; what is no
 * object is given the id only. No byte of the result changes, unless it has such members already.
 * Throws `tool_misbehaved` where a peeked line turns out not to be JSON.
 */
export function withResult(answer: Message, id: Id, addition: Addition): Message {
  const { bytes } = answer
  const line = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const spliced = clashes(answer, line, addition) ? undefined : splice(answer, line, id, addition)
  if (spliced !== undefined) return new ToolMessage(spliced, 'result', id)
  return isObject(answer.json().result) ? merge(line, id, addition) : withId(answer, id)
}

// In a long line a name that is nowhere between quotes is not looked for any further. One that is
// written with escapes is missed, and the tool's own member wins: it answers for itself anyway.
function clashes(answer: Message, line: Buffer, { names }: Addition): boolean {
  if (line.length > WHOLE && !names.some((name) => line.includes(`"${name}"`))) return false
  const { result } = answer.json()
  return isObject(result) && names.some((name) => Object.hasOwn(result, name))
}

// The new id goes last, as in `withId`.
function splice(
  { id: given, kind }: Message,
  line: Buffer,
  id: Id,
  { text }: Addition,
): Buffer | undefined {
  const seen = peek(line)
  if (seen === undefined || seen.id !== given || seen.kind !== kind) return undefined
  const open = past(line, seen.value)
  if (line[open] !== OPEN) return undefined
  const inside = open + 1
  const members = Buffer.from(line[past(line, inside)] === CLOSE ? text : `${text},`)
  const end = Buffer.from(`,"id":${JSON.stringify(id)}}`)
  const { from, to } = seen
  const cut = (start: number, stop: number) => line.subarray(start, stop)
  return Buffer.concat(
    from < open
      ? [cut(0, from), cut(to, inside), members, cut(inside, line.length - 1), end]
      : [cut(0, inside), members, cut(inside, from), cut(to, line.length - 1), end],
  )
}

/** The first byte from here on that is no space. */
function past(line: Buffer, from: number): number {
  let at = from
  while (line[at] === SPACE || line[at] === TAB) at += 1
  return at
}

function merge(line: Buffer, id: Id, { members, meta }: Addition): Message {
  const rewritten = rewrite(line, ({ result }) => {
    const { _meta: own, ...others } = result as JsonObject
    const _meta = { ...(isObject(own) && own), ...meta }
    return { id, result: { ...others, ...members, _meta } }
  })
  return new ToolMessage(rewritten, 'result', id)
}

const SPACE = 0x20
const TAB = 0x09
const OPEN = 0x7b
const CLOSE = 0x7d
