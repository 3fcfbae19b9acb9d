import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ToolFunctions } from '../contract/live.ts'
import { overRest } from '../contract/over-rest.ts'
import { openRegistry } from '../registry/open.ts'
import type { ToolEntry } from '../registry/registry.ts'
import type { Logger } from '../telemetry/log.ts'

const FOLDER = fileURLToPath(new URL('../../tools.d/', import.meta.url))

/** The inline tools of this repository, described as the gateway does it. Throws on any mistake. */
export async function shippedTools(): Promise<ToolFunctions[]> {
  const cache = await mkdtemp(join(tmpdir(), 'toolgate-contract-'))
  const registry = await openRegistry({
    folder: FOLDER,
    cache,
    log: SILENT,
    watch: false,
    describeTimeout: 60_000,
  })
  try {
    await registry.settled
    return registry.list().flatMap(functionsOf)
  } finally {
    await registry.close()
    await rm(cache, { recursive: true, force: true })
  }
}

function functionsOf({ name, error, declaration }: ToolEntry): ToolFunctions[] {
  if (error !== undefined) throw new Error(`${error.file}: ${error.message}`)
  if (declaration?.runtime.kind !== 'inline') return []
  const { title, description, runtime } = declaration
  const functions = runtime.functions.map((each) => overRest(declaration, each, 'legacy'))
  return [{ name, description, functions, ...(title !== undefined && { title }) }]
}

const SILENT: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => SILENT,
}
