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
  // The longest first: one secret may begin with another.
  const forms = [...names.keys()].sort((a, b) => b.length - a.length)
  const pattern = new RegExp(forms.map(escaped).join('|'), 'g')
  const reach = forms[0]?.length ?? 0

  return {
    reach,
    text(bytes, limit) {
      const text = bytes.toString('latin1', 0, limit + reach)
      let said = ''
      let from = 0
      for (const { 0: form, index } of text.matchAll(pattern)) {
        if (index >= limit) break
        said += `${text.slice(from, index)}[secret ${names.get(form)}]`
        from = index + form.length
      }
      return Buffer.from(said + text.slice(from, limit), 'latin1').toString('utf8')
    },
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

/** As bytes, one character each: that a limit counts bytes must cut no secret in two. */
function formsOf(value: string): Set<string> {
  const lines = value.split(/[\r\n]+/).map((line) => line.trim())
  const parts = [value, ...lines].filter((part) => part.length >= SHORTEST)
  const forms = parts.flatMap((part) => [
    part,
    JSON.stringify(part).slice(1, -1),
    encodeURIComponent(part.toWellFormed()),
  ])
  // What holds the end of a line is in no line.
  const found = forms.filter((form) => !form.includes('\n'))
  return new Set(found.map((form) => Buffer.from(form, 'utf8').toString('latin1')))
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')
}
