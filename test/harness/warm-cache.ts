import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const SRC = fileURLToPath(new URL('../../src', import.meta.url))
const WARM = new URL('../../src/runtime/warm.ts', import.meta.url).href
const KEPT = join(SRC, '../node_modules/.cache/toolgate-test')

/**
 * Fills a cache folder as the first start of a gateway does, with what its children load compiled,
 * and returns it: nearly every gateway of the tests is a first one, and would take half a second of
 * computing for that. Made once for a state of the source.
 */
export function warmCache(cache: string): string {
  kept ??= keep()
  cpSync(kept, cache, { recursive: true })
  return cache
}

let kept: string | undefined

const DRAFT = 'draft-'

function keep(): string {
  const folder = join(KEPT, stateOf(SRC))
  if (existsSync(folder)) return folder
  mkdirSync(KEPT, { recursive: true })
  for (const older of readdirSync(KEPT)) {
    if (!older.startsWith(DRAFT)) rmSync(join(KEPT, older), { recursive: true, force: true })
  }
  const draft = mkdtempSync(join(KEPT, DRAFT))
  const script = `(await import('${WARM}')).warmCompiled({ cache: process.argv[1] })`
  try {
    execFileSync(process.execPath, ['--input-type=module', '--eval', script, draft])
    renameSync(draft, folder)
  } catch (error) {
    rmSync(draft, { recursive: true, force: true })
    // Another file of tests may have been faster.
    if (!existsSync(folder)) throw error
  }
  return folder
}

function stateOf(folder: string): string {
  const state = createHash('sha256').update(process.version)
  for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()) {
    const { mtimeMs, size } = statSync(join(folder, file))
    state.update(`${file} ${mtimeMs} ${size}\n`)
  }
  return state.digest('hex').slice(0, 16)
}
