import type { Catalogue } from '../catalogue/catalogue.ts'
import type { Gateway } from '../gateway.ts'
import { describeError } from '../registry/describe-error.ts'
import type { ToolEntry } from '../registry/registry.ts'
import { knownKind } from '../runtime/cells.ts'

/**
 * Says to a person at a terminal what is served, and of each tool that was not ready by then what
 * became of it: one line, once.
 */
export async function greet(
  { url, registry, catalogue }: Pick<Gateway, 'url' | 'registry' | 'catalogue'>,
  say: (text: string) => void = console.error,
): Promise<void> {
  say(`\nToolgate serves ${url}   docs: ${url}/docs\n`)
  const late = new Promise<void>((resolve) => setTimeout(resolve, PATIENCE).unref())
  await Promise.race([registry.settled, late])
  const tools = registry.list()
  const width = Math.max(4, ...tools.map(({ name }) => name.length))
  const row = (tool: ToolEntry) => `  ${tool.name.padEnd(width)}  ${describeTool(tool, catalogue)}`
  for (const tool of tools) say(row(tool))
  say(`\n${entryFor(url, tools)}\n`)

  const pending = new Set(tools.filter((tool) => !isKnown(tool, catalogue)).map(({ name }) => name))
  const follow = (name: string) => {
    if (!pending.has(name)) return
    const tool = registry.get(name)
    if (tool !== undefined && !isKnown(tool, catalogue)) return
    pending.delete(name)
    if (tool !== undefined) say(row(tool))
  }
  registry.onChange(follow)
  catalogue.onChange(follow)
}

/** Milliseconds that the table waits for files that are still being read. */
const PATIENCE = 1_000

function describeTool(tool: ToolEntry, catalogue: Catalogue): string {
  const { declaration, error } = tool
  const state = stateOf(tool, catalogue)
  if (error !== undefined) {
    const kept = declaration ? ' (the last good version is served)' : ''
    return `${state.padEnd(8)}  ${describeError(error)}${kept}`
  }
  if (declaration === undefined) return state
  const learned = catalogue.peek(declaration)
  if (learned?.state === 'failed') return `${state.padEnd(8)}  ${learned.error}`
  const sandbox = knownKind(declaration)
  const shown = sandbox === undefined ? '' : `, sandbox: ${sandbox}`
  return `${state.padEnd(8)}  ${declaration.runtime.kind}${shown}`
}

function stateOf({ state, declaration }: ToolEntry, catalogue: Catalogue): string {
  if (state !== 'ready' || declaration === undefined) return state
  const learned = catalogue.peek(declaration)?.state ?? 'learning'
  return learned === 'learned' ? 'ready' : learned
}

function isKnown(tool: ToolEntry, catalogue: Catalogue): boolean {
  return !['loading', 'learning'].includes(stateOf(tool, catalogue))
}

/** To paste into the configuration of an MCP client. */
function entryFor(url: string, tools: readonly ToolEntry[]): string {
  const served = tools.filter(({ declaration }) => declaration !== undefined)
  const entries = served.map(({ name }) => [name, { type: 'http', url: `${url}/mcp/${name}` }])
  return JSON.stringify({ mcpServers: Object.fromEntries(entries) }, null, 2)
}
