import { ToolgateError } from '../errors.ts'
import type { JsonObject } from './message.ts'
import { isObject } from './object.ts'

/**
 * What a client would have to declare to be asked all of these, without what it has declared, as
 * capability objects such as `{ elicitation: { url: {} } }`; undefined: it can be asked. Throws
 * `tool_misbehaved` for what no client is ever asked.
 */
export function missingCapabilities(
  requests: Readonly<Record<string, unknown>>,
  declared: Readonly<Record<string, unknown>>,
): Readonly<Record<string, JsonObject>> | undefined {
  let missing: Record<string, JsonObject> | undefined
  for (const request of Object.values(requests)) {
    const { capability, part } = neededFor(request)
    if (declares(declared, capability, part)) continue
    missing ??= {}
    missing[capability] = { ...missing[capability], ...(part !== undefined && { [part]: {} }) }
  }
  return missing
}

/** The same of those requests that clients are known to be asked; others count for nothing. */
export function missingOfKnown(
  requests: Readonly<Record<string, unknown>>,
  declared: Readonly<Record<string, unknown>>,
): Readonly<Record<string, JsonObject>> | undefined {
  const known = Object.entries(requests).filter(([, request]) => isKnown(request))
  return missingCapabilities(Object.fromEntries(known), declared)
}

function isKnown(request: unknown): boolean {
  try {
    neededFor(request)
    return true
  } catch {
    return false
  }
}

interface Needed {
  readonly capability: 'roots' | 'sampling' | 'elicitation'
  readonly part?: 'tools' | 'form' | 'url'
}

function neededFor(request: unknown): Needed {
  const { method, params } = isObject(request) ? request : {}
  const { mode = 'form', tools, toolChoice } = isObject(params) ? params : {}
  switch (method) {
    case 'roots/list':
      return { capability: 'roots' }
    case 'sampling/createMessage':
      if (tools === undefined && toolChoice === undefined) return { capability: 'sampling' }
      return { capability: 'sampling', part: 'tools' }
    case 'elicitation/create':
      if (mode === 'form' || mode === 'url') return { capability: 'elicitation', part: mode }
      throw refusal(`an elicitation of mode ${shown(mode)}`)
    default:
      throw refusal(shown(method))
  }
}

/** `elicitation: {}` is what clients declared before there were modes: the form. */
function declares(
  declared: Readonly<Record<string, unknown>>,
  capability: Needed['capability'],
  part: Needed['part'],
): boolean {
  const given = declared[capability]
  if (!isObject(given)) return false
  if (part === 'form' && given.url === undefined) return true
  return part === undefined || isObject(given[part])
}

function refusal(what: string): ToolgateError {
  return new ToolgateError('tool_misbehaved', `The tool asks for ${what}, which no client knows.`)
}

function shown(name: unknown): string {
  return typeof name === 'string' ? JSON.stringify(name.slice(0, 64)) : 'something without a name'
}
