import assert from 'node:assert/strict'
import type { Gateway } from '../harness/gateway.ts'
import type { Json } from '../harness/session.ts'
import { until } from '../harness/until.ts'
import type { Party, RequestOptions } from './parties.ts'

export interface Trial {
  readonly party: Party
  readonly gateway: Gateway
  /** No other trial has it. */
  readonly label: string
}

/** What is tried, by the name that the table has for it; each throws where it does not work. */
export const FEATURES: Readonly<Record<string, (trial: Trial) => Promise<void>>> = {
  async call({ party, label }) {
    const { structuredContent } = await call(party, 'echo', { label })
    assert.deepEqual(structuredContent, { label })
  },

  async error({ party }) {
    const result = await call(party, 'test_error_handling')
    assert.equal(result.isError, true)
    assert.match(textOf(result), /intentionally returns an error/)
  },

  async progress({ party, label }) {
    const from = party.received.length
    await call(party, 'test_tool_with_progress', {}, { progressToken: label })
    const steps = party.received
      .slice(from)
      .filter(({ method }) => method === 'notifications/progress')
      .map(({ params }) => params as Json)
    assert.deepEqual(
      steps.map(({ progressToken, progress }) => [progressToken, progress]),
      [0, 50, 100].map((progress) => [label, progress]),
    )
  },

  async log({ party }) {
    const from = party.received.length
    await call(party, 'test_tool_with_logging', {}, { logLevel: 'info' })
    const isLog = ({ method }: Json) => method === 'notifications/message'
    const { length } = party.received.slice(from).filter(isLog)
    if (length === 0) throw new Error(NO_LOG)
    assert.equal(length, 3)
  },

  async prompt({ party }) {
    const args = { arg1: 'one', arg2: 'two' }
    const params = { name: 'test_prompt_with_arguments', arguments: args }
    const result = await party.request('prompts/get', params)
    assert.match(JSON.stringify(result.messages), /arg1='one', arg2='two'/)
  },

  async resource({ party }) {
    const { contents } = await party.request('resources/read', { uri: 'test://static-text' })
    assert.match(JSON.stringify(contents), /the static text resource/)
  },

  async sampling({ party }) {
    assert.equal(textOf(await call(party, 'test_sampling')), 'LLM response: Paris')
  },

  async elicitation({ party }) {
    assert.match(textOf(await call(party, 'test_elicitation')), /action=accept, .*ada@example.com/)
  },

  async roots({ party }) {
    assert.equal(textOf(await call(party, 'test_roots')), 'Roots: file:///one')
  },

  async cancel({ party, gateway, label }) {
    const leaving = new AbortController()
    const waiting = call(party, 'test_cancellation', { label }, { signal: leaving.signal })
    const said = (what: string) =>
      gateway.waitForLog(what, ({ line }) => line === `test_cancellation: ${label} ${what}`)
    await Promise.race([said('waits'), waiting])
    leaving.abort()
    await assert.rejects(waiting)
    await said('aborted')
  },

  async 'list change'({ party }) {
    await party.watch(WATCHED)
    await changes(party, 'test_trigger_tool_change', ({ method }) => {
      return method === 'notifications/tools/list_changed'
    })
  },

  async 'resource update'({ party }) {
    await party.watch(WATCHED)
    await changes(party, 'test_touch_resource', ({ method, params }) => {
      return method === 'notifications/resources/updated' && Object(params).uri === WATCHED
    })
  },
}

/** What is said where a log was wanted and none came. */
export const NO_LOG = 'the logs did not come'

const WATCHED = 'test://watched-resource'

async function call(
  party: Party,
  name: string,
  args: Json = {},
  options: RequestOptions = {},
): Promise<Json> {
  return party.request('tools/call', { name, arguments: args }, options)
}

async function changes(party: Party, name: string, heard: (message: Json) => boolean) {
  const from = party.received.length
  await call(party, name)
  await until('the change to be heard of', () => party.received.slice(from).find(heard), 5000)
}

/** The text of a result; what it is instead, where it has none. */
function textOf(result: Json): string {
  const [first] = Array.isArray(result.content) ? result.content : []
  return String(Object(first).text ?? JSON.stringify(result))
}
