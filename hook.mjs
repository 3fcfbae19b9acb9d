import { registerHooks } from 'node:module'
import { appendFileSync } from 'node:fs'
registerHooks({ load(url, ctx, next) { appendFileSync('/tmp/bt/loaded.txt', url + '\n'); return next(url, ctx) } })
