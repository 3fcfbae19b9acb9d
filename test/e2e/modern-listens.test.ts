import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request } from 'node:http'
import { after, test } from 'node:test'
import { fixture } from '../harness/fixtures.ts'
import { startGateway } from '../harness/gateway.ts'
import { modern, modernRequest, modernStream } from '../harness/modern.ts'
import { type RawStream, raw } from '../harness/raw.ts'
import { errorOf, messageIn } from '../harness/session.ts'
import { until } from '../harness/until.ts'

const ACK = 'notifications/subscriptions/acknowledged'
const ID = 'io.modelcontextprotocol/subscriptionId'
const options = { mode: 'daemon', limits: { calls: 100_000, per: '1s' } }
const tools = {
  modern: { command: fixture('modern-echo'), ...options },
  few: { command: fixture('modern-echo'), ...options },
  edited: { command: fixture('modern-echo'), ...options },
  counted: { command: fixture('modern-echo'), ...options },
}
const config = { sessions: { perTool: 2 } }
const gateway = await startGateway({ after }, { tools, config })

async function listen(url: string, tool: string, id: string | number = 1): Promise<RawStream> {
  const filter = { notifications: { toolsListChanged: true } }
  const stream = await modernStream(`${url}/mcp/${tool}`, 'subscriptions/listen', filter, { id })
  assert.equal(stream.status, 200)
  const first = messageIn(await stream.waitFor('the acknowledgement', () => true))
  assert.equal(first.method, ACK)
  return stream
}

/** How a stream ended: its last message. */
async function endOf(stream: RawStream) {
  await stream.closed
  return messageIn(stream.events.at(-1) as never)
}

const farewell = (id: string | number) => ({
  jsonrpc: '2.0',
  id,
  result: { resultType: 'complete', _meta: { [ID]: id } },
})

test('a listen is a stream of what it asked for, under its own id', async () => {
  const stream = await listen(gateway.url, 'modern', 'l')
  assert.equal(stream.headers['content-type'], 'text/event-stream')
  assert.equal(stream.headers['x-accel-buffering'], 'no')
  const change = { name: 'change', arguments: { kind: 'tools' } }
  assert.equal((await modern(`${gateway.url}/mcp/modern`, 'tools/call', change)).status, 200)
  const changed = await stream.waitFor('the change', ({ data }) => data.includes('list_changed'))
  const { method, params } = messageIn(changed)
  assert.equal(method, 'notifications/tools/list_changed')
  assert.deepEqual(Object(params)._meta, { [ID]: 'l' })
  assert.ok(stream.events.every(({ id }) => id === undefined))
  stream.abort()
})

test('an open listen is a gauge, and one that ended is in no average of calls', async () => {
  const { metricsUrl } = await gateway.waitForLog('listening', ({ msg }) => msg === 'listening')
  const sampleOf = async (series: string) => {
    const lines = (await raw(String(metricsUrl))).text.split('\n')
    return Number(
      lines
        .find((line) => line.startsWith(`${series} `))
        ?.split(' ')
        .at(-1) ?? 0,
    )
  }
  const ended = () =>
    sampleOf('mcp_gateway_requests_total{tool="counted",entrance="modern",outcome="cancelled"}')
  const stream = await listen(gateway.url, 'counted')
  assert.ok((await sampleOf('mcp_gateway_listens_active')) >= 1)
  assert.equal(await ended(), 0)
  stream.abort()
  await until('its end to be counted', async () => (await ended()) === 1)
  assert.equal(await sampleOf('mcp_gateway_request_duration_seconds_count{tool="counted"}'), 0)
})

test('there are as many listens of a tool as it may have, and room again when one goes', async () => {
  const streams = [await listen(gateway.url, 'few', 1), await listen(gateway.url, 'few', 2)]
  const refused = await modern(`${gateway.url}/mcp/few`, 'subscriptions/listen', {}, { id: 3 })
  assert.equal(refused.status, 503)
  assert.equal(errorOf(refused.json()).code, -32014)
  assert.equal(refused.json().id, 3)
  streams[0]?.abort()
  const again = await until('room', async () => {
    const filter = { notifications: {} }
    const stream = await modernStream(`${gateway.url}/mcp/few`, 'subscriptions/listen', filter)
    return stream.status === 200 ? stream : undefined
  })
  again.abort()
  streams[1]?.abort()
})

test('a listen ends well when its version of the tool does', async () => {
  const stream = await listen(gateway.url, 'edited', 7)
  gateway.tools.write('edited', { ...tools.edited, description: 'Another version.' })
  assert.deepEqual(await endOf(stream), farewell(7))
})

test('a listen ends well when the tool is taken away', async () => {
  gateway.tools.write('brief', tools.edited)
  await until('the tool', async () => {
    return (await modern(`${gateway.url}/mcp/brief`, 'server/discover')).status === 200
  })
  const stream = await listen(gateway.url, 'brief', 'b')
  gateway.tools.remove('brief')
  assert.deepEqual(await endOf(stream), farewell('b'))
})

test('listens end well, and hold nothing up, when the gateway shuts down', async (t) => {
  const brief = await startGateway(t, { tools: { modern: tools.modern } })
  const stream = await listen(brief.url, 'modern', 'g')
  brief.signal('SIGTERM')
  assert.deepEqual(await endOf(stream), farewell('g'))
  assert.equal(await brief.exit, 0)
})

test('a listen whose body came in slowly is one to the version that serves by then', async (t) => {
  gateway.tools.write('slow', tools.edited)
  const url = `${gateway.url}/mcp/slow`
  const limit = async () => (await modern(url, 'tools/list')).headers['x-mcp-timeout']
  await until('the first version', async () => (await limit()) === '60000ms')
  const { headers, body } = modernRequest('subscriptions/listen', { notifications: {} })
  const bytes = JSON.stringify(body)
  const length = { 'content-type': 'application/json', 'content-length': bytes.length }
  const sending = request(url, { method: 'POST', headers: { ...headers, ...length } })
  t.after(() => sending.destroy())
  const [socket] = await once(sending, 'socket')
  await once(socket, 'connect')
  sending.write(bytes.slice(0, 10))
  // What was sent before this, on a connection that was there before, has come in.
  await modern(url, 'tools/list')
  gateway.tools.write('slow', { ...tools.edited, timeout: '33s' })
  await until('the second version', async () => (await limit()) === '33000ms')
  sending.end(bytes.slice(10))
  const [response] = await once(sending, 'response')
  assert.equal(response.statusCode, 200)
  assert.equal(response.headers['x-mcp-timeout'], '33000ms')
  gateway.tools.remove('slow')
  const chunks = await response.toArray()
  assert.match(String(Buffer.concat(chunks)), /"resultType":"complete"/)
})
