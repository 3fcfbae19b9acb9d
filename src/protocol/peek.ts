import type { Id } from './message.ts'

/** What the outside of an answer says, and where its id stands. */
export interface Peek {
  readonly kind: 'result' | 'error'
  readonly id: Id
  /** The id's member with one comma: with bytes `from` to `to` cut out an object remains. */
  readonly from: number
  readonly to: number
  /** Where the result or the error begins; spaces may stand before it. */
  readonly value: number
}

/**
 * Read kind and id of a tool's answer from its first and last bytes, without parsing what is
 * between; undefined where that takes a parse. `line` is one line of UTF-8.
 *
 * Why this is sound for any line that is JSON:
 * - the head is read from the first byte on, so nothing in it can be inside a string;
 * - a line that begins with `{` and is one value ends with the `}` that closes it, so the members
 *   right before that byte are members of the envelope;
 * - a `"` after `,` or a space has no `\` before it, so it begins or ends a string; after an end no
 *   name could follow, so it begins the key.
 *
 * A tool may repeat a key in the middle and so tell a reader another id than this one. It gains
 * nothing: the line goes, whole, to the one caller this id belongs to, whom the tool answers
 * anyway; `withId` writes the new id last, where it wins over every repetition; and `json()`
 * refuses a line that says something else than was peeked.
 */
export function peek(line: Buffer): Peek | undefined {
  if (line[line.length - 1] !== CLOSE) return undefined
  const head = HEAD.exec(line.toString('latin1', 0, WINDOW))
  if (head === null) return undefined
  const [all, before, member, id, after] = head
  const version = before ?? after
  if (member && id && version) return found(head, id, all.indexOf(member), member)
  const start = Math.max(all.length, line.length - WINDOW)
  const tail = TAIL.exec(line.toString('latin1', start))
  if (tail === null) return undefined
  const [, tailBefore, tailMember, tailId, tailAfter] = tail
  if (!(version ?? tailBefore ?? tailAfter)) return undefined
  if (member && id) return tailMember ? undefined : found(head, id, all.indexOf(member), member)
  if (!tailMember || !tailId) return undefined
  return found(head, tailId, start + tail.index + (tailBefore?.length ?? 0), tailMember)
}

function found(head: RegExpExecArray, id: string, from: number, member: string): Peek {
  const [all, , , , , kind] = head
  return {
    kind: kind === 'error' ? 'error' : 'result',
    id: id.startsWith('"') ? Buffer.from(id.slice(1, -1), 'latin1').toString('utf8') : Number(id),
    from,
    to: from + member.length,
    value: all.length,
  }
}

const CLOSE = 0x7d
// Far more than the members around `result` take; a longer id is left to the parse.
const WINDOW = 256
const VERSION = ' *"jsonrpc" *: *"2\\.0" *'
// Without escapes and in the range of exact integers; anything else is left to the parse.
const ID = ' *"id" *: *("[^"\\\\]*"|-?[0-9]{1,15}) *'
// Groups: version, id's member, id, version, kind.
const HEAD = new RegExp(`^\\{(?:(${VERSION}),)?(${ID},)?(?:(${VERSION}),)? *"(result|error)" *:`)
// Groups: version, id's member, id, version; each optional, so the leftmost match takes them all.
const TAIL = new RegExp(`(,${VERSION})?(,${ID})?(,${VERSION})?\\}$`)
