import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fixture } from '../harness/fixtures.ts'
import { startGateway } from '../harness/gateway.ts'
import { raw } from '../harness/raw.ts'
import type { Json } from '../harness/session.ts'
import { toolView } from '../harness/tool-view.ts'
import { until } from '../harness/until.ts'

test('an engine that accepts and stays silent does not keep the list back', async (t) => {
  const gateway = await startGateway(t, {
    tools: { echo: { command: fixture('echo') }, boxed, also_boxed: boxed },
    config: { engine: { socket: await silent(t) } },
  })
  const list = async () => {
    const began = performance.now()
    const { json } = await raw(`${gateway.url}/v1/tools`)
    assert.ok(performance.now() - began < 2_000)
    const tools = json().tools as readonly Json[]
    return tools.find(({ name }) => name === 'boxed')
  }
  const isRead = async (tool: string) => (await toolView(gateway, tool)).state !== 'loading'
  await until('the files to be read', async () => (await isRead('echo')) && isRead('boxed'), 30_000)
  for (let each = 0; each < 5; each += 1) assert.equal((await list())?.sandbox, 'missing')
  // It is told why once that is known, and goes on being quick when that is asked for anew.
  const ways = /engine does not answer; start Docker or Podman/
  await until('the reason', async () => ways.test(JSON.stringify((await list())?.lastError)))
  const end = performance.now() + 7_000
  while (performance.now() < end) assert.equal((await list())?.sandbox, 'missing')
})

const boxed = `import { container, defineTool } from 'toolgate'
export default defineTool({ description: 'In a box.', runtime: container('nobody/nothing:1') })
`

/** A socket where nobody ever answers. */
async function silent(t: TestContext): Promise<string> {
  const dir = mkdtempSync(join(tmpdir(), 'toolgate-silent-'))
  const server = createServer((connection) => {
    connection.on('error', () => {})
    t.after(() => connection.destroy())
  })
  const socket = join(dir, 'engine.sock')
  server.listen(socket)
  await once(server, 'listening')
  t.after(() => {
    server.close()
    rmSync(dir, { recursive: true })
  })
  return socket
}
