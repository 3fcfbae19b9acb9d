import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, test } from 'node:test'
import type { Mode } from '../conformance/direct.ts'
import { expectedToFail } from '../conformance/expected-misses.ts'
import { renaming } from '../conformance/renaming.ts'
import { failuresOf, type Revision, runRequirements, scoreOf } from '../conformance/run.ts'
import { fixture } from '../harness/fixtures.ts'
import { startGateway } from '../harness/gateway.ts'
import { raw } from '../harness/raw.ts'
import { until } from '../harness/until.ts'

const KEY = 'conformance'
const TOOLS: readonly Mode[] = ['dual', 'modern', 'legacy']

/** A tool of both eras, and those whose client is of the other one. */
const RUNS: readonly (readonly [Mode, Revision])[] = [
  ['dual', '2025-11-25'],
  ['dual', '2026-07-28'],
  ['modern', '2025-11-25'],
  ['legacy', '2026-07-28'],
]

const gateway = await startGateway(
  { after },
  {
    config: {
      keys: [{ id: 'suite', hash: `sha256:${createHash('sha256').update(KEY).digest('hex')}` }],
    },
    tools: Object.fromEntries(
      TOOLS.map((mode) => [
        mode,
        {
          command: fixture('everything', mode),
          limits: { calls: 1_000_000, per: '1s' },
          // The suite gives a first answer 600 ms, in which a process of the fixture hardly starts.
          ...(mode === 'legacy' && { warm: 2 }),
        },
      ]),
    ),
  },
)
const authorization = `Bearer ${KEY}`
await until('the tools to be known', async () => {
  const { tools } = (await raw(`${gateway.url}/v1/tools`, { headers: { authorization } })).json()
  return (tools as { state: string }[]).every(({ state }) => state === 'ready')
})
for (const [tool, revision] of RUNS)
  test(`behind all tools as one, the ${tool} one misses what it misses alone on ${revision}`, async (t) => {
    const url = await renaming(t, gateway.url, tool, KEY)
    const scenarios = await runRequirements(`${url}/mcp`, revision)
    t.diagnostic(`${tool} on ${revision}: ${scoreOf(scenarios)}`)
    // The fixture has no tasks extension, and the suite scores none.
    const ours = scenarios.filter(({ name }) => !name.startsWith('tasks-'))
    assert.deepEqual(
      ours.filter(({ status }) => status === 'fail').map(({ name }) => name),
      expectedToFail(tool, revision),
      failuresOf(ours).join('\n'),
    )
  })
