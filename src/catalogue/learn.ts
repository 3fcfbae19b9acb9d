import { randomUUID } from 'node:crypto'
import type { Link } from '../call/link.ts'
import { ToolgateError } from '../errors.ts'
import type { SharedConnection } from '../outbound/connection.ts'
import type { SharedLegacyConnection } from '../outbound/legacy-shared.ts'
import type { Spoken } from '../pool/lease.ts'
import type { Pool } from '../pool/pool.ts'
import type { JsonObject } from '../protocol/message.ts'
import { isObject } from '../protocol/object.ts'
import { redactionFor } from '../runtime/secrets.ts'
import { redactedError } from '../telemetry/redaction.ts'
import type { Declaration } from '../tool/declaration.ts'
import type { Learned } from './catalogue.ts'
import { listAll } from './lists.ts'

export interface Lesson {
  readonly tool: Declaration
  /** What the pool knows of it too. */
  readonly spoken: Spoken
  /** Asks the daemon that serves, not a process started for this alone. */
  readonly running: boolean
  /** What was known before. */
  readonly before: Learned | undefined
}

/**
 * What a process of the tool says of itself. Rejects with `tool_failed_to_start`, `tool_gone`,
 * `tool_misbehaved`.
 */
export async function learnFrom(pool: Pool, lesson: Lesson): Promise<Learned> {
  const { tool, spoken, running, before } = lesson
  // A daemon is started on first use, and learning is not one.
  const link = linkTo(running ? tool : { ...tool, mode: 'launcher' })
  const lease = await pool.lease(link, { uncounted: true, priority: 'job' })
  lease.begin()
  try {
    // Nobody's session is a link of kind `request`, so its process is one we shook hands with.
    const connection = (await lease.connection()) as SharedConnection
    const initialize = await introduced(connection, spoken)
    const { era, dual } = spoken
    return { era, dual, initialize, ...(await listAll(connection, initialize, before)) }
  } catch (thrown) {
    // What it answered is logged and shown.
    throw redactedError(thrown, redactionFor(tool))
  } finally {
    lease.end()
    lease.release('learned')
  }
}

async function introduced(connection: SharedConnection, { era }: Spoken): Promise<JsonObject> {
  if (era === 'legacy') return (connection as SharedLegacyConnection).initialized
  const { result } = (await connection.ask('server/discover', {}, BUDGET)).json()
  if (isObject(result)) return result
  throw new ToolgateError('tool_misbehaved', 'The tool did not answer server/discover.')
}

/** Milliseconds. */
const BUDGET = 30_000

function linkTo(tool: Declaration): Link {
  return {
    id: `catalogue.${randomUUID()}`,
    kind: 'request',
    tool,
    caller: { id: 'catalogue', anonymous: true, roles: [], scopes: [] },
    era: 'legacy',
    capabilities: {},
    deliver: () => {},
    pressure: () => undefined,
    ended: () => {},
  }
}
