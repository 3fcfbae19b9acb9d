import type { LearnState } from '../catalogue/catalogue.ts'
import { withOutput } from '../contract/over-rest.ts'
import type { ToolEntry } from '../registry/registry.ts'
import type { Cell } from '../runtime/cell/cell.ts'
import { knownKind } from '../runtime/cells.ts'
import { missingSecrets } from '../runtime/secrets.ts'
import type { Declaration, FunctionDeclaration } from '../tool/declaration.ts'
import type { HttpParts } from './parts.ts'

/**
 * One tool as the catalogue shows it, with the names of its functions. `cell` is what its instances
 * may touch here; undefined: not known yet, or there is nothing that could have one.
 */
export function summarise(parts: HttpParts, entry: ToolEntry, cell: Cell | undefined) {
  const { declaration } = entry
  const learning = declaration && parts.catalogue.look(declaration)
  const { running, sessions } = parts.instances(entry.name)
  const [error] = errorsOf(entry, learning, cell)
  return {
    name: entry.name,
    ...(declaration?.title !== undefined && { title: declaration.title }),
    ...(declaration !== undefined && { description: declaration.description }),
    tags: declaration?.tags ?? [],
    ...(declaration !== undefined && { runtime: declaration.runtime.kind, mode: declaration.mode }),
    state: stateOf(entry, learning),
    // Nothing is let go that nobody has looked at.
    sandbox: cell?.kind ?? (declaration && knownKind(declaration)) ?? 'missing',
    instances: running,
    sessions,
    ...(declaration !== undefined && { version: declaration.version }),
    functions: known(learning).map((each) => each.name),
    ...(error !== undefined && { lastError: error }),
    mcp: { streamable: `/mcp/${entry.name}`, sse: `/mcp/${entry.name}/sse` },
    url: `/v1/tools/${entry.name}`,
  }
}

/**
 * The same, with the schemas of its functions, its processes, every line of its cell and all that
 * is wrong with its file.
 */
export async function detail(parts: HttpParts, entry: ToolEntry) {
  const { declaration } = entry
  const cell = declaration && (await parts.cell(declaration))
  const learning = declaration && parts.catalogue.look(declaration)
  const errors = errorsOf(entry, learning, cell)
  const timeout = declaration && (declaration.timeout ?? parts.config.timeouts.call)
  return {
    ...summarise(parts, entry, cell),
    ...(timeout !== undefined && { timeout }),
    era: eraOf(declaration, learning),
    cell: cell?.lines ?? [],
    running: parts.running(entry.name).map(({ since, ...rest }) => ({
      ...rest,
      since: new Date(since).toISOString(),
    })),
    ...(errors.length > 0 && { errors }),
    functions: known(learning).map((each) => ({
      ...each,
      url: `/v1/tools/${entry.name}/${encodeURIComponent(each.name)}`,
    })),
  }
}

function known(learning: LearnState | undefined): readonly FunctionDeclaration[] {
  if (learning?.state !== 'learned') return []
  const { era, functions } = learning.learned
  return functions.map((each) => withOutput(each, era))
}

/** Null while it is not known. */
function eraOf(declaration: Declaration | undefined, learning: LearnState | undefined) {
  if (learning?.state !== 'learned') return declaration?.era ?? null
  return learning.learned.dual ? 'dual' : learning.learned.era
}

/** `broken` wins: the file as it stands has a mistake, whatever is still served. */
function stateOf(entry: ToolEntry, learning: LearnState | undefined) {
  if (entry.state !== 'ready') return entry.state
  if (learning?.state === 'learned') return 'ready'
  return learning?.state ?? 'loading'
}

/** What is wrong, the first mistake first. */
function errorsOf(
  { declaration, error, errors }: ToolEntry,
  learning: LearnState | undefined,
  cell: Cell | undefined,
) {
  if (error !== undefined) return errors ?? [error]
  if (cell !== undefined && cell.refusals.length > 0) {
    return cell.refusals.map((message) => ({ message }))
  }
  // A tool that is known from before is shown as ready, and does not start all the same.
  const missing = declaration && missingSecrets(declaration)
  if (missing !== undefined) return [{ message: missing }]
  // While it is tried again, what went wrong last time still says most.
  const { error: message } = (learning ?? {}) as { readonly error?: string }
  return message === undefined ? [] : [{ message }]
}
