import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { type Mode, serveDirectly } from './direct.ts'
import { failuresOf, type Revision, runRequirements, runScenario, scoreOf } from './run.ts'

/** With nothing in between: what the fixture reaches here, it must reach through the gateway. */
const SCORES: readonly (readonly [Mode, Revision, string])[] = [
  ['dual', '2025-11-25', '30/30'],
  ['dual', '2026-07-28', '37/37'],
  ['modern', '2026-07-28', '37/37'],
  ['legacy', '2025-11-25', '30/30'],
]

for (const [mode, revision, score] of SCORES)
  test(`directly, the ${mode} fixture scores ${score} on ${revision}`, async (t) => {
    const scenarios = await runRequirements(await serveDirectly(t, mode), revision)
    const ours = scenarios.filter(({ name }) => !name.startsWith('tasks-'))
    assert.deepEqual(failuresOf(ours), [])
    assert.deepEqual(
      ours.flatMap(({ warnings }) => warnings),
      [],
    )
    assert.equal(scoreOf(scenarios), score)
  })

test('one scenario is run alone, and a failure says what failed', async (t) => {
  const url = await serveDirectly(t, 'legacy')
  const schemas = await runScenario(url, '2025-11-25', 'json-schema-2020-12')
  assert.deepEqual([schemas.scored, schemas.status], [false, 'pass'])
  const caching = await runScenario(url, '2026-07-28', 'caching')
  assert.deepEqual([caching.scored, caching.status], [true, 'fail'])
  assert.match(failuresOf([caching])[0] ?? '', /^caching: /)
})

test('a run that takes too long is killed, and what it did not reach has failed', async (t) => {
  const silent = createServer(() => {}).listen(0, '127.0.0.1')
  t.after(() => silent.close())
  await once(silent, 'listening')
  const { port } = silent.address() as AddressInfo
  const url = `http://127.0.0.1:${port}/mcp`
  const scenarios = await runRequirements(url, '2026-07-28', { timeout: 1000 })
  assert.equal(scoreOf(scenarios), '0/37')
  assert.match(failuresOf(scenarios).at(-1) ?? '', /The run was killed/)
})

test('a suite that could not run throws what it said', async () => {
  const run = runScenario('http://127.0.0.1:9/', '2026-07-28', 'no-such-scenario')
  await assert.rejects(run, /ran nothing[\s\S]*no-such-scenario/)
})
