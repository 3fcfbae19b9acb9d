import { isIP } from 'node:net'
import { DURATION_FORM, parseDuration } from '../tool/duration.ts'
import { parseSize, SIZE_FORM } from '../tool/size.ts'

/** What one value may be. */
export interface Form<T> {
  readonly expected: string
  /** Reads a YAML scalar, or the text of a flag or variable; throws for anything else. */
  read(value: unknown): T
  /** Never repeated in a message. */
  readonly secret?: boolean
}

export const duration: Form<number> = {
  expected: DURATION_FORM,
  read: (value) => above(0, parseDuration(value)),
}

export const durationOrNone: Form<number> = { expected: DURATION_FORM, read: parseDuration }

export const size: Form<number> = {
  expected: SIZE_FORM,
  read: (value) => above(0, parseSize(value)),
}

export const count: Form<number> = {
  expected: 'a whole number from 1',
  read: (value) => wholeNumber(value, 1, Number.MAX_SAFE_INTEGER),
}

export const countOrNone: Form<number> = {
  expected: 'a whole number from 0',
  read: (value) => wholeNumber(value, 0, Number.MAX_SAFE_INTEGER),
}

export const port: Form<number> = {
  expected: 'a port from 1 to 65535, or 0 for a free one',
  read: (value) => wholeNumber(value, 0, 65_535),
}

export const portOrOff: Form<number | null> = {
  expected: `${port.expected}, or off`,
  read: (value) => (value === null || value === 'off' ? null : port.read(value)),
}

export const share: Form<number> = {
  expected: 'a number from 0 to 1',
  read(value) {
    if (typeof value !== 'number' || !(value >= 0 && value <= 1))
      throw new RangeError(this.expected)
    return value
  },
}

export const yesOrNo: Form<boolean> = {
  expected: 'true or false',
  read(value) {
    if (typeof value !== 'boolean') throw new TypeError(this.expected)
    return value
  },
}

export const host: Form<string> = {
  expected: 'an IP address or a host name, such as 127.0.0.1',
  read(value) {
    const name = String(value).replace(/^\[(.*)\]$/, '$1')
    const named = /^(?!-)[a-z0-9.-]{1,253}$/i.test(name) && !/^[\d.]+$/.test(name)
    if (typeof value !== 'string' || !(isIP(name) || named)) throw new RangeError(this.expected)
    return name
  },
}

export const folder: Form<string> = pattern(/^[^\0]+$/, 'the path of a folder')

export const folderOrNone: Form<string | null> = {
  expected: `${folder.expected}, or null`,
  read: (value) => (value === null ? null : folder.read(value)),
}

export const socketOrNone: Form<string | null> = {
  expected: 'the absolute path of a socket, such as /run/podman/podman.sock, or null',
  read(value) {
    if (value === null) return null
    if (typeof value !== 'string' || !/^\/[^\0]+$/.test(value)) throw new RangeError()
    return value
  },
}

/** Two user ids with a dash between them, neither of them root's. */
export const userRange: Form<{ readonly first: number; readonly last: number }> = {
  expected: 'two user ids from 1000 to 4294967293, such as 2000000-2009999',
  read(value) {
    const [, from, to] = /^(\d{1,10})-(\d{1,10})$/.exec(String(value)) ?? []
    const [first, last] = [Number(from), Number(to)]
    if (!(first >= 1000 && first <= last && last <= MOST_USER)) throw new RangeError()
    return { first, last }
  },
}

/** The two above it stand for nobody (setresuid(2), chown(2)). */
const MOST_USER = 2 ** 32 - 3

export const origin: Form<string> = {
  expected: "an origin such as https://example.com, or '*'",
  read(value) {
    if (value === '*') return value
    if (typeof value !== 'string' || new URL(value).origin !== value) throw new RangeError()
    return value
  },
}

export const httpUrlOrNone: Form<string | null> = {
  expected: 'an http or https URL such as http://127.0.0.1:4318, or null',
  read(value) {
    if (value === null) return null
    if (typeof value !== 'string' || !/^https?:$/.test(new URL(value).protocol))
      throw new RangeError()
    return value
  },
}

/** Text that fits. */
export function pattern(regexp: RegExp, expected: string, secret = false): Form<string> {
  return {
    expected,
    secret,
    read(value) {
      if (typeof value !== 'string' || !regexp.test(value)) throw new RangeError(expected)
      return value
    },
  }
}

/** Long enough that nobody guesses it. */
export const secretOrNone: Form<string | null> = {
  expected: '32 to 1024 visible characters, such as `openssl rand -hex 32` prints, or null',
  secret: true,
  read(value) {
    if (value === null) return null
    if (typeof value !== 'string' || !/^[\x21-\x7e]{32,1024}$/.test(value)) throw new RangeError()
    return value
  },
}

/** One of a few words. */
export function oneOf<const W extends string>(...words: readonly W[]): Form<W> {
  return {
    expected: `one of ${words.join(', ')}`,
    read(value) {
      const word = words.find((candidate) => candidate === value)
      if (word === undefined) throw new RangeError()
      return word
    },
  }
}

function above(least: number, value: number): number {
  if (value <= least) throw new RangeError(`expected more than ${least}`)
  return value
}

function wholeNumber(value: unknown, least: number, most: number): number {
  // A flag and a variable are always text.
  const number = typeof value === 'string' && /^\d{1,16}$/.test(value) ? Number(value) : value
  if (typeof number !== 'number' || !Number.isSafeInteger(number)) throw new TypeError()
  if (number < least || number > most) throw new RangeError()
  return number
}
