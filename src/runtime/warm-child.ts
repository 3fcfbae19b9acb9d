/** Loads what every child that runs a tool's code loads, and keeps it compiled. No tool's code runs. */
import { flushCompileCache } from 'node:module'

await Promise.all([
  import('../index.ts'),
  import('../protocol/line-codec.ts'),
  import('../registry/explain.ts'),
  import('../registry/tool-hooks.ts'),
  import('../tool/read-declaration.ts'),
  import('./inline-server.ts'),
  import('zod').then((z) => z.toJSONSchema(z.object({ warm: z.string() }))),
])
flushCompileCache()
