import { ToolgateError } from '../errors.ts'
import type { LogFields, Logger } from './log.ts'

/** What a tool wrote, as text for the log. */
export interface Redaction {
  /** Bytes needed past the limit of a text, so that no secret is cut in two. */
  readonly reach: number
  /** The first `limit` bytes; each secret that begins in them is `[secret NAME]`. */
  text(bytes: Buffer, limit: number): string
}

/** Of a tool without secrets. */
export const UNREDACTED: Redaction = {
  reach: 0,
  text: (bytes, limit) => bytes.toString('utf8', 0, limit),
}

/**
 * Finds the values of 8 characters and more, as they are, as JSON and as URLs have them; of a value
 * of several lines each line too, because lines are logged one by one.
 */
export function redactionOf(secrets: Readonly<Record<string, string>>): Redaction {
  const names = new Map<string, string>()
  for (const [name, value] of Object.entries(secrets)) {
    for (const form of formsOf(value)) if (!names.has(form)) names.set(form, name)
  }
  if (names.size === 0) return UNREDACTED
  const forms = new Forms(names)
  return {
    reach: forms.longest,
    text(bytes, limit) {
      const end = Math.min(limit, bytes.length)
      const said: Buffer[] = []
      let from = 0
      let at = 0
      while (at < end) {
        const form = forms.at(bytes, at)
        if (form === undefined) at += 1
        else {
          said.push(bytes.subarray(from, at), form.label)
          from = at += form.bytes.length
        }
      }
      said.push(bytes.subarray(from, Math.max(from, end)))
      return Buffer.concat(said).toString('utf8')
    },
  }
}

interface Form {
  readonly bytes: Buffer
  readonly label: Buffer
}

/**
 * What is looked for, by its first bytes. No regular expression: one that is too large throws, and
 * its error quotes it.
 */
class Forms {
  readonly longest: number
  readonly #byPrefix = new Map<string, Form[]>()
  /** 1 where some form begins with these two bytes: most of a text is passed over by that. */
  readonly #begins = new Uint8Array(2 ** 16)

  /** `names`: of the secrets, by what is looked for. */
  constructor(names: ReadonlyMap<string, string>) {
    const forms = [...names].map(([form, name]) => {
      return { bytes: Buffer.from(form), label: Buffer.from(`[secret ${name}]`) }
    })
    // The longest first: one secret may begin with another.
    forms.sort((a, b) => b.bytes.length - a.bytes.length)
    this.longest = forms[0]?.bytes.length ?? 0
    for (const form of forms) {
      const prefix = form.bytes.toString('latin1', 0, SHORTEST)
      const others = this.#byPrefix.get(prefix)
      if (others === undefined) this.#byPrefix.set(prefix, [form])
      else others.push(form)
      this.#begins[form.bytes.readUInt16BE(0)] = 1
    }
  }

  /** What the text has at this place. */
  at(text: Buffer, place: number): Form | undefined {
    if (place + SHORTEST > text.length || this.#begins[text.readUInt16BE(place)] === 0) return
    const forms = this.#byPrefix.get(text.toString('latin1', place, place + SHORTEST))
    return forms?.find(({ bytes }) => {
      const end = place + bytes.length
      return end <= text.length && bytes.compare(text, place, end) === 0
    })
  }
}

/** A log of what a tool said: its secrets are taken out of every text. */
export function redactedLog(log: Logger, redaction: Redaction): Logger {
  if (redaction === UNREDACTED) return log
  const clean = (fields: LogFields) =>
    Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, cleaned(value)]))
  const cleaned = (value: unknown) => (typeof value === 'string' ? whole(value, redaction) : value)
  return {
    debug: (fields, message) => log.debug(clean(fields), message),
    info: (fields, message) => log.info(clean(fields), message),
    warn: (fields, message) => log.warn(clean(fields), message),
    error: (fields, message) => log.error(clean(fields), message),
    child: (fields) => redactedLog(log.child(clean(fields)), redaction),
  }
}

/** An error of ours that repeats what a tool said, with its secrets taken out of the message. */
export function redactedError(thrown: unknown, redaction: Redaction): unknown {
  if (redaction === UNREDACTED || !(thrown instanceof ToolgateError)) return thrown
  const { code, cause, data, retryAfter } = thrown
  return new ToolgateError(code, whole(thrown.message, redaction), {
    cause,
    ...(data !== undefined && { data }),
    ...(retryAfter !== undefined && { retryAfter }),
  })
}

function whole(text: string, redaction: Redaction): string {
  const bytes = Buffer.from(text)
  return redaction.text(bytes, bytes.length)
}

/** A shorter value would be found in too many words that are none. Characters. */
const SHORTEST = 8

function formsOf(value: string): string[] {
  const lines = value.split(/[\r\n]+/).map((line) => line.trim())
  const parts = new Set([value, ...lines].filter((part) => part.length >= SHORTEST))
  return [...parts].flatMap((part) => {
    const forms = [part, JSON.stringify(part).slice(1, -1), encodeURIComponent(part.toWellFormed())]
    // What holds the end of a line is in no line.
    return forms.filter((form) => !form.includes('\n'))
  })
}
