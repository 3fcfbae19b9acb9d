import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { loadConfig } from '../../src/config/load.ts'
import { createGateway } from '../../src/gateway.ts'
import { createTelemetry } from '../../src/telemetry/setup.ts'
import { fixture } from '../harness/fixtures.ts'
import { descendants } from '../harness/processes.ts'
import { abortRequest, raw } from '../harness/raw.ts'
import { openSession } from '../harness/session.ts'
import { toolsFolder } from '../harness/tools-folder.ts'
import { until } from '../harness/until.ts'

test('1,000 aborted requests return handles, listeners and gauges to their baseline', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'toolgate-inside-'))
  t.after(() => rmSync(dir, { recursive: true, force: true }))
  for (const folder of ['tools', 'workspace']) mkdirSync(join(dir, folder))
  const limits = { calls: 1_000_000, per: '1s' }
  const tools = toolsFolder(join(dir, 'tools'), 'inside')
  tools.write('echo', { command: fixture('echo'), limits })
  tools.write('waits', { command: fixture('answers-cancel'), limits, timeout: '2s' })
  const { config } = await loadConfig({
    cwd: dir,
    env: { PATH: process.env.PATH, TOOLGATE_CACHE: join(dir, 'cache') },
    flags: { tools: tools.dir, workspace: join(dir, 'workspace'), port: '0', 'metrics-port': '0' },
  })
  const quiet = { ...config, log: { level: 'error' as const } }
  const telemetry = createTelemetry(quiet)
  const gateway = await createGateway(quiet, { telemetry })
  t.after(async () => {
    await gateway.close('the test ends')
    await telemetry.close()
  })
  await gateway.registry.settled
  const warnings: Error[] = []
  const warn = (warning: Error) => void warnings.push(warning)
  process.on('warning', warn)
  t.after(() => void process.off('warning', warn))

  const round = async (requests: number) => {
    const names = ['echo', 'echo', 'waits']
    const sessions = await Promise.all(
      names.map((name) => openSession(`${gateway.url}/mcp/${name}`)),
    )
    for (let sent = 0; sent < requests; sent += 50)
      await Promise.all(
        Array.from({ length: 50 }, (_, index) => {
          const { url = '', headers = {} } = sessions[index % 3] ?? {}
          const name = index % 3 === 2 ? 'wait' : 'where'
          const params = { name, arguments: {}, _meta: { progressToken: sent + index } }
          const body = { jsonrpc: '2.0', id: sent + index, method: 'tools/call', params }
          return abortRequest(url, { method: 'POST', headers, body }, index % 4)
        }),
      )
    for (const session of sessions) await session.end()
    await until('processes to be gone', () => descendants(process.pid).length === 0)
  }

  await round(50)
  // A process is gone before everything that was held for it is.
  const metricsUrl = gateway.metricsUrl ?? ''
  await until('rest', async () => (await baseline(metricsUrl)).busy.length === 0)
  const before = await baseline(metricsUrl)
  await round(1000)
  await until('the baseline', async () => {
    const now = await baseline(metricsUrl)
    const settled = now.busy.length === 0 && now.listeners === before.listeners
    return settled && now.handles <= before.handles
  })
  const { busy, calls } = await baseline(metricsUrl)
  assert.deepEqual(busy, [])
  assert.ok(calls - before.calls >= 900, `${calls - before.calls} calls got as far as their tool`)
  assert.deepEqual(warnings, [])
})

/** Open handles besides those of the question itself, listeners, and gauges that are not at rest. */
async function baseline(metricsUrl: string) {
  const { text } = await raw(metricsUrl)
  const samples = text.split('\n').map((line) => ({
    line,
    name: line.split(/[ {]/)[0] ?? '',
    value: Number(line.split(' ').at(-1)),
  }))
  const gauges = samples.filter(({ name }) => /_(active|in_flight|instances)$/.test(name))
  const done = samples.filter(({ name }) => /requests_total$/.test(name))
  const kinds = process.getActiveResourcesInfo().filter((kind) => /Wrap|Process|Pipe/.test(kind))
  const events = process.eventNames()
  return {
    busy: gauges.filter(({ value }) => value > 0).map(({ line }) => line),
    calls: done.reduce((sum, { value }) => sum + value, 0),
    handles: kinds.length,
    listeners: events.reduce((sum, event) => sum + process.listenerCount(event), 0),
  }
}
