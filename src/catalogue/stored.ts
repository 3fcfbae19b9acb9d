import { createHash } from 'node:crypto'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isObject } from '../protocol/object.ts'
import type { Logger } from '../telemetry/log.ts'
import type { Declaration } from '../tool/declaration.ts'
import { VERSION } from '../version.ts'
import type { Learned } from './catalogue.ts'

/** What was learned of this very version before; undefined when nothing, or nothing readable. */
export async function readStored(cache: string, tool: Declaration): Promise<Learned | undefined> {
  try {
    const learned: unknown = JSON.parse(await readFile(fileOf(cache, tool), 'utf8'))
    return isLearned(learned) ? learned : undefined
  } catch {
    return undefined
  }
}

/** Keeps it for the next start; a full or read-only disk is logged and costs only that. */
export async function writeStored(
  cache: string,
  tool: Declaration,
  learned: Learned,
  log: Logger,
): Promise<void> {
  const file = fileOf(cache, tool)
  const scratch = `${file}.${process.pid}`
  try {
    await mkdir(join(cache, 'catalogue'), { recursive: true })
    await writeFile(scratch, JSON.stringify(learned))
    await rename(scratch, file)
  } catch (err) {
    log.warn({ tool: tool.name, err }, 'catalogue could not be kept')
  }
}

/** A gateway of before kept less. */
function isLearned(value: unknown): value is Learned {
  if (!isObject(value)) return false
  const lists = [value.functions, value.prompts, value.resources, value.templates]
  const spoken = typeof value.era === 'string' && typeof value.dual === 'boolean'
  return spoken && isObject(value.initialize) && lists.every(Array.isArray)
}

function fileOf(cache: string, { name, version, file }: Declaration): string {
  // Two folders may hold the same text, and it may mean another program in each.
  const hash = createHash('sha256').update(`${VERSION}\n${file}\n${version}`).digest('hex')
  return join(cache, 'catalogue', `${name}-${hash.slice(0, 16)}.json`)
}
