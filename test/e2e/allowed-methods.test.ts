import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { fixture } from '../harness/fixtures.ts'
import { startGateway } from '../harness/gateway.ts'
import { raw } from '../harness/raw.ts'
import { ACCEPT } from '../harness/session.ts'

const gateway = await startGateway({ after }, { tools: { echo: { command: fixture('echo') } } })

for (const [method, path, allowed, refused] of [
  ['GET', '/mcp/echo/messages?sessionId=x', ['POST'], ['GET', 'DELETE']],
  ['PUT', '/mcp/echo', ['GET', 'POST', 'DELETE'], ['PUT']],
  ['GET', '/mcp/invoke', ['POST'], ['GET', 'DELETE']],
  ['GET', '/v1/tools/echo/echo', ['POST'], ['GET', 'DELETE']],
  ['DELETE', '/v1/tools/echo', ['GET'], ['DELETE', 'POST']],
] as const)
  test(`${method} ${path} is 405 and Allow says what is allowed there`, async () => {
    const reply = await raw(gateway.url + path, { method, headers: { accept: ACCEPT } })
    assert.equal(reply.status, 405)
    const allow = String(reply.headers.allow).split(/, */)
    for (const each of allowed) assert.ok(allow.includes(each), `${each} in ${allow}`)
    for (const each of refused) assert.ok(!allow.includes(each), `no ${each} in ${allow}`)
  })
