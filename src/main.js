// @ts-check
// Plain JavaScript, so that the compile cache is on before the first TypeScript file is read: from
// the second start on all that is loaded comes with its types stripped and compiled, and what would
// strip them is not loaded at all.
import { enableCompileCache } from 'node:module'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'

// Not in the temporary folder, which others can write to; NODE_COMPILE_CACHE names another place.
enableCompileCache(join(import.meta.dirname, '../node_modules/.cache/toolgate'))

// Sessions make garbage in small pieces; a young generation of 16 MB and more would stay resident.
setFlagsFromString('--max-semi-space-size=2')

const { runCommand } = await import('./cli/run-command.ts')
process.exit(await runCommand(process.argv.slice(2)))
