import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { startGateway } from '../harness/gateway.ts'
import { absent } from '../harness/services.ts'

const tool = `import { defineTool, fn, inline } from 'toolgate'
import { z } from 'zod'

export default defineTool({
  description: 'Greets.',
  runtime: inline({
    hello: fn({
      description: 'Says hello.',
      input: z.object({ name: z.string() }),
      run: ({ name }) => name,
    }),
  }),
})
`

test('a browser shows the interactive reference with the functions of a tool', {
  skip: absent('chromium'),
}, async (t) => {
  const gateway = await startGateway(t, { tools: { greets: tool } })
  const profile = mkdtempSync(join(tmpdir(), 'toolgate-chromium-'))
  t.after(() => rmSync(profile, { recursive: true, force: true, maxRetries: 5 }))
  const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-sync']
  const quiet = ['--disable-background-networking', '--disable-component-update', '--disable-quic']
  const page = [`--user-data-dir=${profile}`, '--virtual-time-budget=15000', '--dump-dom']
  const { stdout } = await promisify(execFile)(
    'chromium',
    [...flags, ...quiet, ...page, `${gateway.url}/docs/`],
    { maxBuffer: 64 * 1024 * 1024, timeout: 60_000, killSignal: 'SIGKILL' },
  )
  assert.ok(stdout.includes('data-path="/v1/tools/greets/hello"'), 'the operation is on the page')
})
