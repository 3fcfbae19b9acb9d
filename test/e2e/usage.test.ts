import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { startCollector } from '../harness/collector.ts'
import { fixture } from '../harness/fixtures.ts'
import { startGateway } from '../harness/gateway.ts'
import { openSession } from '../harness/session.ts'
import { toolView } from '../harness/tool-view.ts'
import { until } from '../harness/until.ts'

// Elsewhere nothing is known, and null is shown.
const options = { skip: process.platform !== 'linux' }

const collector = await startCollector({ after })
const gateway = await startGateway(
  { after },
  {
    config: { telemetry: { endpoint: collector.url } },
    tools: { much: { command: fixture('uses-much') }, little: { command: fixture('echo') } },
  },
)

interface Usage {
  readonly cpu: number
  readonly memory: number
  readonly read: number
  readonly written: number
}

interface Running {
  readonly id: string
  readonly since: string
  readonly usage: Usage | null
}

const ended = async (pid: number) => {
  const line = await gateway.waitForLog(
    'its end',
    ({ msg, pid: whose }) => whose === pid && String(msg).startsWith('instance ended'),
  )
  return { line, usage: line.usage as Usage }
}

function checkMuch({ cpu, memory, read, written }: Usage): void {
  // Itself and its child, 300 ms each, in clock ticks; more is what Node takes to start.
  assert.ok(cpu >= 580 && cpu < 20_000, `cpu ${cpu}`)
  assert.ok(memory > 100e6 && memory < 1e9, `memory ${memory}`)
  assert.ok(read > 1000, `read ${read}`)
  assert.ok(written >= 5e6 && written < 50e6, `written ${written}`)
}

test('what an instance used is told at its end, in the log and in its span', options, async () => {
  const session = await openSession(`${gateway.url}/mcp/much`)
  const pid = Number(await session.callText('use'))
  await session.end()
  const { line, usage } = await ended(pid)
  checkMuch(usage)
  const span = await until('its span', () =>
    collector.spans.find(
      ({ name, attributes }) =>
        name === 'toolgate.life' && attributes['toolgate.instance'] === line.instance,
    ),
  )
  const told = Object.entries(usage).map(([name, value]) => [`toolgate.usage.${name}`, value])
  for (const [name, value] of told) assert.equal(Number(span.attributes[String(name)]), value)
  assert.equal(Number(span.attributes['toolgate.pid']), pid)
})

test('one that ends by itself is told with what it used, too', options, async () => {
  const session = await openSession(`${gateway.url}/mcp/much`)
  const pid = Number(await session.callText('use'))
  await session.request('tools/call', { name: 'die', arguments: {} }).catch(() => {})
  const { line, usage } = await ended(pid)
  assert.equal(line.msg, 'instance ended by itself')
  // The rest of it ended as it did; what was read before that counts.
  assert.ok(usage.cpu >= 280, `cpu ${usage.cpu}`)
})

test(
  'the catalogue shows each running instance with what it has used, and no pid',
  options,
  async () => {
    const sessions = await Promise.all([1, 2].map(() => openSession(`${gateway.url}/mcp/little`)))
    const running = await until('both to have been looked at', async () => {
      const shown = (await toolView(gateway, 'little')).running as Running[]
      return shown.length === 2 && shown.every(({ usage }) => usage !== null) ? shown : undefined
    })
    for (const { id, since, usage } of running) {
      assert.match(id, /^little\.\d+$/)
      assert.ok(Math.abs(Date.now() - Date.parse(since)) < 60_000)
      assert.ok(usage !== null && usage.cpu > 0 && usage.memory > 1e6 && usage.read > 0)
      assert.deepEqual(Object.keys(usage).sort(), ['cpu', 'memory', 'read', 'written'])
    }
    assert.deepEqual(Object.keys(running[0] ?? {}).sort(), ['id', 'since', 'usage'])
    for (const session of sessions) await session.end()
    await until(
      'none to be shown',
      async () => ((await toolView(gateway, 'little')).running as Running[]).length === 0,
    )
  },
)
