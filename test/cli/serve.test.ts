import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { type TestContext, test } from 'node:test'
import { fixture } from '../harness/fixtures.ts'
import { launchGateway, startGateway } from '../harness/gateway.ts'
import { until, within } from '../harness/until.ts'

test('serve writes one listening line with its URL, whatever the log level', async (t) => {
  for (const level of ['info', 'error']) {
    const gateway = await startGateway(t, { config: { log: { level } } })
    const lines = gateway.logs.filter(({ msg }) => msg === 'listening')
    assert.equal(lines.length, 1)
    assert.equal(lines[0]?.pid, gateway.pid)
    assert.equal((await fetch(`${gateway.url}/healthz`)).status, 200)
    assert.equal((await fetch(String(lines[0]?.metricsUrl))).status, 200)
  }
})

test('the first SIGINT and SIGTERM end the gateway with exit code 0', async (t) => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    const gateway = await startGateway(t)
    gateway.signal(signal)
    assert.equal(await within(20_000, 'its end', gateway.exit), 0)
  }
})

test('one Ctrl-C that arrives three times is one, and lets a running call finish', async (t) => {
  const { gateway, answer } = await callThatHangs(t, '2s')
  for (let times = 0; times < 3; times++) gateway.signal('SIGINT')
  assert.equal((await answer).status, 504)
  assert.equal(await within(20_000, 'its end', gateway.exit), 0)
})

test('a second signal ends the gateway at once, and its processes with it', async (t) => {
  const { gateway, answer } = await callThatHangs(t, '1h')
  const ended = gateway.exit.then((code) => ({ code }))
  const { code } = await until('its end', () => {
    gateway.signal('SIGTERM')
    return Promise.race([ended, soon()])
  })
  assert.equal(code, 143)
  await assert.rejects(answer)
  await until('its processes to be gone', () => gateway.processes().length === 0)
})

test('serve says which port is taken, and exits 1', async (t) => {
  const other = createServer().listen(0, '127.0.0.1')
  t.after(() => new Promise<void>((resolve) => other.close(() => resolve())))
  await once(other, 'listening')
  const { port } = other.address() as AddressInfo
  for (const [flag, key] of [
    ['--port', 'listen.port'],
    ['--metrics-port', 'listen.metrics'],
  ] as const) {
    const gateway = launchGateway(t, { args: [flag, String(port)] })
    assert.equal(await within(20_000, 'its end', gateway.exit), 1)
    assert.equal(
      gateway.stderr(),
      `${key} (${flag}): 127.0.0.1:${port} is taken by another process\n`,
    )
  }
})

test('a public address without keys is refused before anything listens', async (t) => {
  const gateway = launchGateway(t, { args: ['--host', '0.0.0.0'] })
  assert.equal(await within(20_000, 'its end', gateway.exit), 1)
  assert.match(gateway.stderr(), /^--host listen\.host: .* no keys are configured/)
})

/** A gateway with one REST call on its way to a tool that never answers. */
async function callThatHangs(t: TestContext, call: string) {
  const gateway = await startGateway(t, {
    tools: { slow: { command: fixture('never-answers') } },
    config: { timeouts: { call } },
  })
  const url = `${gateway.url}/v1/tools/slow`
  await until('the tool to be learned', async () => {
    const detail = await (await fetch(url)).json()
    return (detail as { readonly state?: string }).state === 'ready'
  })
  const headers = { 'content-type': 'application/json' }
  const answer = fetch(`${url}/wait`, { method: 'POST', body: '{}', headers })
  answer.catch(() => {})
  const { metricsUrl } = gateway.logs.find(({ msg }) => msg === 'listening') ?? {}
  await until('the call to be on its way', async () =>
    /in_flight\S* 1$/m.test(await (await fetch(String(metricsUrl))).text()),
  )
  return { gateway, answer }
}

function soon(): Promise<undefined> {
  return new Promise((resolve) => setTimeout(resolve, 20, undefined))
}
