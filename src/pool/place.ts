import { createHash } from 'node:crypto'
import type { Link } from '../call/link.ts'
import { isObject } from '../protocol/object.ts'
import type { Declaration } from '../tool/declaration.ts'
import type { How } from './instance.ts'
import type { Spoken } from './lease.ts'

/** Where a link's calls are served. */
export interface Place {
  /** Links of one version with equal keys are served by the same processes. */
  readonly key: string
  readonly how: How
  /** For this link alone: ends with it. */
  readonly alone: boolean
  /** One call in flight for each process, so that what it says outside calls has an owner. */
  readonly exclusive: boolean
}

/**
 * Which processes serve a link; `own`: one of the session's own, to which its client speaks as if
 * nothing were in between.
 */
export function placeOf(link: Link, { era, dual }: Spoken): Place | 'own' {
  const { tool, caller } = link
  if (tool.mode === 'daemon') return placeOfAll(tool, era)
  if (link.kind === 'session') {
    return era === 'legacy' || dual ? 'own' : { ...place(link.id, ofOneCaller), alone: true }
  }
  if (era === 'modern') {
    if (caller.anonymous) return { ...place(link.id, ofOneCaller), alone: true }
    return place(`caller modern ${caller.id}`, ofOneCaller)
  }
  if (caller.anonymous) return { ...place(link.id, offering(link, true)), alone: true }
  // Our own child says which call it speaks of, so its calls need not be kept apart.
  const exclusive = !isInline(tool) && (canBeAsked(link) || wantsLogs(link))
  const key = `caller ${digest(link)} ${caller.id}`
  return { ...place(key, offering(link, exclusive)), exclusive }
}

/** Where everybody's calls of a daemon are served: clients of all, none of whom can be asked. */
export function placeOfAll(tool: Declaration, era: Spoken['era']): Place {
  if (era === 'modern') return place(`all ${era}`, { era, private: false })
  const how = { capabilities: {}, exclusive: false, correlated: isInline(tool) }
  return place(`all ${era}`, { era, ...how })
}

function place(key: string, how: How): Place {
  return { key, how, alone: false, exclusive: false }
}

const ofOneCaller: How = { era: 'modern', private: true }

function offering(link: Link, exclusive: boolean): How {
  const { capabilities } = link
  return { era: 'legacy', capabilities, exclusive, correlated: isInline(link.tool) }
}

function isInline({ runtime }: Declaration): boolean {
  return runtime.kind === 'inline'
}

function canBeAsked({ capabilities }: Link): boolean {
  return ['sampling', 'elicitation', 'roots'].some((each) => isObject(capabilities[each]))
}

function wantsLogs({ logLevel }: Link): boolean {
  return logLevel !== undefined
}

/** Of what is fixed when a legacy process is initialized; a client's text is no key by itself. */
function digest(link: Link): string {
  const text = `${wantsLogs(link)} ${JSON.stringify(sorted(link.capabilities))}`
  return createHash('sha256').update(text).digest('base64url')
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (!isObject(value)) return value
  const keys = Object.keys(value).sort()
  return Object.fromEntries(keys.map((key) => [key, sorted(value[key])]))
}
