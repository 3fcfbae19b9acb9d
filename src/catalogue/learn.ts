import { randomUUID } from 'node:crypto'
import type { Link } from '../call/link.ts'
import { ToolgateError } from '../errors.ts'
import type { SharedLegacyConnection } from '../outbound/legacy-shared.ts'
import type { Pool } from '../pool/pool.ts'
import type { JsonObject } from '../protocol/message.ts'
import type { Declaration, FunctionDeclaration } from '../tool/declaration.ts'
import type { Learned } from './catalogue.ts'

/**
 * What a process of the tool says of itself: one started for this alone, or, `running`, the
 * daemon that serves. Rejects with `tool_failed_to_start`, `tool_gone`, `tool_misbehaved`.
 */
export async function learnFrom(pool: Pool, tool: Declaration, running: boolean): Promise<Learned> {
  // A daemon is started on first use, and learning is not one.
  const link = linkTo(running ? tool : { ...tool, mode: 'launcher' })
  const lease = await pool.lease(link, { spare: true })
  lease.begin()
  try {
    // Nobody's session is a link of kind `request`, so its process is one we initialized.
    const connection = (await lease.connection()) as SharedLegacyConnection
    const { initialized } = connection
    const functions = 'tools' in initialized.capabilities ? await list(connection) : []
    const lists = { functions, prompts: [], resources: [], templates: [] }
    return { era: 'legacy', dual: false, initialize: initialized, ...lists }
  } finally {
    lease.end()
    lease.release('learned')
  }
}

async function list(connection: SharedLegacyConnection): Promise<FunctionDeclaration[]> {
  const functions: FunctionDeclaration[] = []
  let cursor: unknown
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const answer = await connection.ask(
      'tools/list',
      cursor === undefined ? {} : { cursor },
      BUDGET,
    )
    const { result, error } = answer.json() as { result?: JsonObject; error?: JsonObject }
    if (!Array.isArray(result?.tools)) {
      const why = String(error?.message ?? 'no list of tools came back')
      throw new ToolgateError('tool_misbehaved', `tools/list failed: ${why}.`)
    }
    functions.push(...result.tools.filter(isFunction))
    cursor = result.nextCursor
    if (typeof cursor !== 'string' || functions.length >= MOST_FUNCTIONS) break
  }
  return functions
}

/** Milliseconds for one page. */
const BUDGET = 30_000
const MOST_PAGES = 100
const MOST_FUNCTIONS = 2000

function isFunction(value: unknown): value is FunctionDeclaration {
  const { name, inputSchema } = (value ?? {}) as { name?: unknown; inputSchema?: unknown }
  return typeof name === 'string' && typeof inputSchema === 'object' && inputSchema !== null
}

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
