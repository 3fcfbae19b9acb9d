import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { fixture } from '../harness/fixtures.ts'
import { startGateway } from '../harness/gateway.ts'
import { raw } from '../harness/raw.ts'
import { absent } from '../harness/services.ts'
import { messageIn, openSession } from '../harness/session.ts'
import { openSseSession } from '../harness/sse-session.ts'
import { until } from '../harness/until.ts'

const CADDYFILE = fileURLToPath(new URL('../../deploy/Caddyfile', import.meta.url))

const steps = `import { defineTool, fn, inline } from 'toolgate'
import { z } from 'zod'

export default defineTool({
  description: 'Tells when it wrote.',
  runtime: inline({
    steps: fn({
      description: 'Three steps, 200 ms apart.',
      input: z.object({}),
      output: z.object({ done: z.boolean() }),
      run: async (_, { progress }) => {
        for (let i = 1; i <= 3; i++) {
          progress(i, 3, String(Date.now()))
          await new Promise((next) => setTimeout(next, 200))
        }
        return { done: true }
      },
    }),
  }),
})
`

test('the shipped Caddyfile reaches every route and holds no event back', {
  skip: absent('caddy'),
}, async (t) => {
  const gateway = await startGateway(t, { tools: { steps, echo: { command: fixture('echo') } } })
  const url = await startCaddy(t, gateway.url)

  for (const path of ['/healthz', '/ready', '/health', '/v1/tools', '/openapi.json', '/docs/']) {
    assert.equal((await raw(url + path)).status, 200, path)
  }
  const called = await raw(`${url}/v1/tools/steps/steps`, { method: 'POST', body: {} })
  assert.deepEqual(called.json(), { done: true })

  const sse = await openSseSession(`${url}/mcp/echo/sse`)
  t.after(() => sse.stream.abort())
  assert.equal((await sse.request('ping')).error, undefined)

  const session = await openSession(`${url}/mcp/steps`)
  const params = { name: 'steps', arguments: {}, _meta: { progressToken: 1 } }
  await (await session.stream('tools/call', params, 0)).closed
  const stream = await session.stream('tools/call', params, 1)
  const delays: number[] = []
  for (const step of [1, 2, 3]) {
    const fits = ({ data }: { data: string }) => data.includes(`"progress":${step}`)
    const event = await stream.waitFor(`step ${step}`, fits)
    delays.push(Date.now() - Number(Object(messageIn(event).params).message))
  }
  // The machine may be busy at one of them; a proxy that buffers is late at all.
  assert.ok(Math.min(...delays) < 50, `delays of ${delays} ms`)
  await session.end()
})

async function startCaddy(t: TestContext, upstream: string): Promise<string> {
  const home = mkdtempSync(join(tmpdir(), 'toolgate-caddy-'))
  const url = `http://127.0.0.1:${await freePort()}`
  const caddy = spawn('caddy', ['run', '--adapter', 'caddyfile', '--config', CADDYFILE], {
    env: {
      PATH: process.env.PATH,
      HOME: home,
      TOOLGATE_SITE: url,
      TOOLGATE_UPSTREAM: new URL(upstream).host,
    },
    stdio: 'ignore',
  })
  t.after(async () => {
    const ended = once(caddy, 'exit')
    if (caddy.kill('SIGKILL')) await ended
    rmSync(home, { recursive: true, force: true })
  })
  const up = async () => (await raw(`${url}/healthz`).catch(() => undefined))?.status === 200
  await until('Caddy to serve', up, 20_000)
  return url
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}
