import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Config } from '../config/config.ts'
import { MARK, markOf } from '../mark.ts'
import { VERSION } from '../version.ts'
import { START_CHILD } from './inline.ts'

/**
 * Compiles what the children that run tools' code load, once for this version of the gateway and
 * of Node. They themselves may only read it: what one of them left there, others would run. Never
 * rejects: without it they start more slowly.
 */
export async function warmCompiled({ cache }: Pick<Config, 'cache'>): Promise<void> {
  const compiled = join(cache, 'compiled')
  const stamp = join(compiled, `warm-${VERSION}-${process.version}`)
  if (existsSync(stamp)) return
  try {
    await mkdir(compiled, { recursive: true, mode: 0o755 })
    const { execa } = await import('execa')
    await execa(process.execPath, [START_CHILD, compiled, ENTRY], {
      env: { [MARK]: markOf('warm'), NODE_V8_COVERAGE: undefined },
      extendEnv: false,
      stdio: 'ignore',
      timeout: 30_000,
    })
    await writeFile(stamp, '')
  } catch {
    // The next start tries again.
  }
}

const ENTRY = pathToFileURL(
  join(import.meta.dirname, `warm-child${extname(import.meta.filename)}`),
).href
