import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, describe, test } from 'node:test'
import { fixture } from '../harness/fixtures.ts'
import { startGateway } from '../harness/gateway.ts'
import { raw } from '../harness/raw.ts'
import { until } from '../harness/until.ts'
import { keyed } from './keyed.ts'
import { renaming } from './renaming.ts'
import { failuresOf, runRequirements } from './run.ts'

/** The suite scores none of them, and of what a listen tells it looks at nothing yet. */
const SCENARIOS = [
  'tasks-lifecycle',
  'tasks-capability-negotiation',
  'tasks-wire-fields',
  'tasks-request-state-removal',
  'tasks-mrtr-input',
  'tasks-request-headers',
  'tasks-dispatch-and-envelope',
  'tasks-status-notifications',
  'tasks-required-task-error',
  'tasks-mrtr-composition',
]

const KEY = 'conformance'
const authorization = `Bearer ${KEY}`
const tasks = { command: fixture('tasks'), limits: { calls: 1_000_000, per: '1s' } }
const gateway = await startGateway(
  { after },
  {
    config: {
      keys: [{ id: 'suite', hash: `sha256:${createHash('sha256').update(KEY).digest('hex')}` }],
    },
    tools: { own: tasks, shared: { ...tasks, mode: 'daemon' } },
  },
)
await until('the tools to be known', async () => {
  const { tools } = (await raw(`${gateway.url}/v1/tools`, { headers: { authorization } })).json()
  return (tools as { state: string }[]).every(({ state }) => state === 'ready')
})
const alone = await keyed({ after }, gateway.url, KEY)

const WHERE = [
  ['a process of its caller’s own', alone, '/mcp/own'],
  ['a process that callers share', alone, '/mcp/shared'],
  ['all tools as one', await renaming({ after }, gateway.url, 'shared', KEY), '/mcp'],
] as const

// The suite mostly waits.
describe('the tasks extension passes through the gateway', { concurrency: true }, () => {
  for (const [where, base, path] of WHERE)
    test(`on ${where}`, async () => {
      const scenarios = await runRequirements(`${base}${path}`, '2026-07-28')
      for (const name of SCENARIOS) {
        const scenario = scenarios.find((each) => each.name === name)
        assert.ok(scenario, `${name} was not run`)
        assert.equal(scenario.status, 'pass', failuresOf([scenario]).join('\n'))
        assert.deepEqual(scenario.warnings, [])
        // What is skipped whole passes as well, and says nothing.
        const said = scenario.passed.length > 0
        assert.equal(said, name !== 'tasks-status-notifications', name)
      }
    })
})
