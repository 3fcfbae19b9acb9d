// Plain JavaScript, so that the compile cache is on before the first TypeScript file is read: from
// it come all the gateway's own files and zod with their types stripped and their code compiled.
import { enableCompileCache } from 'node:module'

const [, , cache, entry] = process.argv
if (cache) enableCompileCache(cache)
process.argv.splice(1, 3, entry)
await import(entry)
