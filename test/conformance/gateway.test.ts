import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, test } from 'node:test'
import { fixture } from '../harness/fixtures.ts'
import { startGateway } from '../harness/gateway.ts'
import type { Mode } from './direct.ts'
import { expectedToFail, expectedToWarn } from './expected-misses.ts'
import { keyed } from './keyed.ts'
import { failuresOf, type Revision, runRequirements, type Scenario, scoreOf } from './run.ts'

/** The tool, the requirements, and what must be reached at least. */
const SCORES: readonly (readonly [Mode, Revision, number, number])[] = [
  ['dual', '2025-11-25', 30, 30],
  ['dual', '2026-07-28', 37, 37],
  ['modern', '2025-11-25', 30, 30],
  ['modern', '2026-07-28', 37, 37],
  ['legacy', '2025-11-25', 30, 30],
  ['legacy', '2026-07-28', 36, 37],
]

const KEY = 'conformance'

const everything = (mode: Mode) => ({
  command: fixture('everything', mode),
  limits: { calls: 1_000_000, per: '1s' },
})

const gateway = await startGateway(
  { after },
  {
    config: {
      keys: [{ id: 'suite', hash: `sha256:${createHash('sha256').update(KEY).digest('hex')}` }],
    },
    tools: {
      dual: everything('dual'),
      modern: everything('modern'),
      // The suite gives a first answer 600 ms, in which a process of the fixture hardly starts.
      legacy: { ...everything('legacy'), warm: 2 },
    },
  },
)

/** One caller: what anonymous clients send, nobody can tell apart, so each request has a process. */
const url = await keyed({ after }, gateway.url, KEY)

for (const [mode, revision, least, all] of SCORES)
  test(`through the gateway, the ${mode} fixture scores ${least}/${all} on ${revision}`, async (t) => {
    const scenarios = await runRequirements(`${url}/mcp/${mode}`, revision)
    // The fixture has no tasks extension, and the suite scores none.
    const ours = scenarios.filter(({ name }) => !name.startsWith('tasks-'))
    t.diagnostic(`${mode} on ${revision}: ${scoreOf(scenarios)}`)
    assert.deepEqual(
      ours.filter(({ status }) => status === 'fail').map(({ name }) => name),
      expectedToFail(mode, revision),
      // A miss that is no more must go from the list as well.
      `missed, and what was expected to be:\n${failuresOf(ours).join('\n')}`,
    )
    const [reached = 0, of] = scoreOf(scenarios).split('/').map(Number)
    assert.equal(of, all)
    assert.ok(reached >= least, `${reached}/${of}\n${failuresOf(ours).join('\n')}`)
    assert.deepEqual(warningsOf(ours), expectedToWarn(mode, revision))
  })

function warningsOf(scenarios: readonly Scenario[]): string[] {
  return scenarios.flatMap(({ name, warnings }) => warnings.map(({ id }) => `${name}: ${id}`))
}
