import type { Catalogue } from '../catalogue/catalogue.ts'
import type { Gateway } from '../gateway.ts'
import { describeError } from '../registry/describe-error.ts'
import type { ToolEntry } from '../registry/registry.ts'

/** Says to a person at a terminal what is served, once the tools' files are read. */
export async function greet({ url, registry, catalogue }: Gateway): Promise<void> {
  console.error(`\nToolgate serves ${url}   docs: ${url}/docs\n`)
  const late = new Promise<void>((resolve) => setTimeout(resolve, 3_000).unref())
  await Promise.race([registry.settled, late])
  const tools = registry.list()
  const width = Math.max(4, ...tools.map(({ name }) => name.length))
  for (const tool of tools)
    console.error(`  ${tool.name.padEnd(width)}  ${stateOf(tool, catalogue)}`)
  console.error(`\n${entryFor(url, tools)}\n`)
}

function stateOf({ state, declaration, error }: ToolEntry, catalogue: Catalogue): string {
  if (!error) {
    if (!declaration) return state
    const learned = catalogue.look(declaration).state
    const now = learned === 'learned' ? 'ready' : learned
    // There is no cell yet, so nothing of a tool's policy is enforced.
    return `${now.padEnd(8)}  ${declaration.runtime.kind}, sandbox: none`
  }
  const kept = declaration ? ' (the last good version is served)' : ''
  return `${state.padEnd(8)}  ${describeError(error)}${kept}`
}

/** To paste into the configuration of an MCP client. */
function entryFor(url: string, tools: readonly ToolEntry[]): string {
  const served = tools.filter(({ declaration }) => declaration !== undefined)
  const entries = served.map(({ name }) => [name, { type: 'http', url: `${url}/mcp/${name}` }])
  return JSON.stringify({ mcpServers: Object.fromEntries(entries) }, null, 2)
}
