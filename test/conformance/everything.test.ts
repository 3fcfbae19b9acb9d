import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { fixture } from '../harness/fixtures.ts'
import { type Json, openPipe, type Pipe } from '../harness/pipe.ts'
import { resultOf, textOf } from '../harness/session.ts'
import type { Mode } from './direct.ts'

type Era = 'legacy' | 'modern'

/** What each function says in the end to a client that answers everything, in either era. */
const ASKING = {
  test_sampling: 'LLM response: Paris',
  test_elicitation: 'User response: action=accept, content={"username":"username","email":"email"}',
  test_elicitation_sep1034_defaults: 'Elicitation completed: action=accept, content={}',
  test_elicitation_sep1330_enums: 'Elicitation completed: action=accept, content={}',
  test_elicitation_url: 'URL elicitation: action=accept',
  test_roots: 'Roots: file:///one, file:///two',
  test_missing_capability: 'It can',
  test_streaming_elicitation: 'Went on: action=accept, content={"ok":true}',
  test_input_required_result_elicitation: 'Hello, name!',
  test_input_required_result_sampling: 'The model says: Paris',
  test_input_required_result_list_roots: 'Roots: [{"uri":"file:///one"},{"uri":"file:///two"}]',
  test_input_required_result_request_state: 'state-ok',
  test_input_required_result_tampered_state: 'state-ok',
  test_input_required_result_multiple_inputs: 'Paris name, of 2 roots',
  test_input_required_result_multi_round: 'name: color',
  test_input_required_result_capabilities: 'Asked for capital_question, user_name, client_roots',
}

const ERAS: readonly (readonly [Mode, Era])[] = [
  ['dual', 'legacy'],
  ['dual', 'modern'],
  ['legacy', 'legacy'],
  ['modern', 'modern'],
]

for (const [mode, era] of ERAS) {
  test(`over stdio, the ${mode} fixture asks a ${era} client in its way`, async (t) => {
    const client = await connect(t, mode, era)
    for (const [name, said] of Object.entries(ASKING))
      assert.equal(textOf(await client.ask('tools/call', { name })), said)
    const name = 'test_input_required_result_prompt'
    const prompt = JSON.stringify(resultOf(await client.ask('prompts/get', { name })))
    assert.match(prompt, /In the context of context/)
    const uri = 'test://input-required'
    const resource = JSON.stringify(resultOf(await client.ask('resources/read', { uri })))
    assert.match(resource, /Read by name/)
  })

  test(`over stdio, the ${mode} fixture tells a ${era} client what changes`, async (t) => {
    const { pipe, ask, listen } = await connect(t, mode, era)
    const uri = 'test://watched-resource'
    await listen(uri)
    const told = (method: string) => pipe.waitFor(method, (message) => message.method === method)
    for (const [kind, list] of [
      ['tool', 'tools'],
      ['prompt', 'prompts'],
      ['resource', 'resources'],
    ]) {
      assert.doesNotMatch(JSON.stringify(await ask(`${list}/list`, {})), /"extra"/)
      await ask('tools/call', { name: `test_trigger_${kind}_change` })
      await told(`notifications/${list}/list_changed`)
      assert.match(JSON.stringify(await ask(`${list}/list`, {})), /"extra"/)
    }
    await ask('tools/call', { name: 'test_touch_resource' })
    const { params } = await told('notifications/resources/updated')
    assert.equal((params as Json).uri, uri)
    assert.match(JSON.stringify(await ask('resources/read', { uri })), /Touched 1/)
  })

  test(`over stdio, a call of the ${mode} fixture that a ${era} client cancels is aborted`, async (t) => {
    const { pipe, ask, meta } = await connect(t, mode, era)
    const params = { name: 'test_cancellation', arguments: { label: 'one' }, ...meta }
    pipe.send({ id: 'c', method: 'tools/call', params })
    pipe.send({ method: 'notifications/cancelled', params: { requestId: 'c' } })
    const cancelled = { name: 'test_cancelled', arguments: { count: 1 } }
    assert.equal(textOf(await ask('tools/call', cancelled)), '["one"]')
  })
}

test('a legacy client is refused with -32042, a modern one is asked to open the page', async (t) => {
  const params = { name: 'test_url_elicitation_required' }
  const legacy = await connect(t, 'dual', 'legacy')
  const { error } = await legacy.ask('tools/call', params)
  assert.equal((error as Json).code, -32042)
  const complete = 'notifications/elicitation/complete'
  await legacy.pipe.waitFor(complete, ({ method }) => method === complete)
  assert.equal(textOf(await legacy.ask('tools/call', params)), 'The page was opened')
  const modern = await connect(t, 'dual', 'modern')
  assert.equal(textOf(await modern.ask('tools/call', params)), 'The page was opened')
})

test('the legacy fixture knows no server/discover, and the modern one no initialize', async (t) => {
  const legacy = openPipe(t, fixture('everything', 'legacy'))
  const discover = await legacy.request('server/discover', META)
  assert.equal((discover.error as Json).code, -32601)
  const modern = openPipe(t, fixture('everything', 'modern'))
  assert.equal(((await modern.request('initialize', INITIALIZE)).error as Json).code, -32022)
})

interface Client {
  readonly pipe: Pipe
  /** What every request carries besides its own params. */
  readonly meta: Json
  /** Sends a request, answers all that it asks, and gives its last answer. */
  ask(method: string, params: Json): Promise<Json>
  /** Wants to hear of every list, and of the resource. */
  listen(uri: string): Promise<unknown>
}

const CAPABILITIES = { sampling: {}, elicitation: { form: {}, url: {} }, roots: {} }
const INFO = { name: 't', version: '1' }
const INITIALIZE = { protocolVersion: '2025-11-25', capabilities: CAPABILITIES, clientInfo: INFO }
const META = {
  _meta: {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientCapabilities': CAPABILITIES,
    'io.modelcontextprotocol/clientInfo': INFO,
  },
}

async function connect(t: TestContext, mode: Mode, era: Era): Promise<Client> {
  const pipe = openPipe(t, fixture('everything', mode))
  if (era === 'modern') return modern(pipe)
  await pipe.request('initialize', INITIALIZE)
  pipe.send({ method: 'notifications/initialized' })
  return legacy(pipe)
}

function modern(pipe: Pipe): Client {
  const ask: Client['ask'] = async (method, params) => {
    const answer = await pipe.request(method, { ...params, ...META })
    const result = answer.result as Json | undefined
    if (result?.resultType !== 'input_required') return answer
    const asked = Object.entries(result.inputRequests as Record<string, Request>)
    const inputResponses = Object.fromEntries(
      asked.map(([key, { method, params }]) => [key, answerTo(method, params)]),
    )
    const { requestState } = result
    return ask(method, { ...params, inputResponses, ...(requestState ? { requestState } : {}) })
  }
  const listen = (uri: string) => {
    const lists = { toolsListChanged: true, promptsListChanged: true, resourcesListChanged: true }
    const notifications = { ...lists, resourceSubscriptions: [uri] }
    pipe.send({ id: 'l', method: 'subscriptions/listen', params: { notifications, ...META } })
    const acknowledged = 'notifications/subscriptions/acknowledged'
    return pipe.waitFor(acknowledged, ({ method }) => method === acknowledged)
  }
  return { pipe, meta: META, ask, listen }
}

function legacy(pipe: Pipe): Client {
  const answered = new Set<unknown>()
  let ids = 0
  const ask: Client['ask'] = async (method, params) => {
    const call = `call-${++ids}`
    pipe.send({ id: call, method, params })
    for (;;) {
      const next = await pipe.waitFor(`an answer to ${method}`, ({ id, method }) =>
        method === undefined ? id === call : id !== undefined && !answered.has(id),
      )
      if (next.method === undefined) return next
      answered.add(next.id)
      pipe.send({ id: next.id, result: answerTo(String(next.method), next.params as Json) })
    }
  }
  return { pipe, meta: {}, ask, listen: (uri) => pipe.request('resources/subscribe', { uri }) }
}

interface Request {
  readonly method: string
  readonly params?: Json
}

/** Paris, two roots, and into each field that a form requires its own name, or true. */
function answerTo(method: string, params: Json = {}): Json {
  if (method === 'roots/list') return { roots: [{ uri: 'file:///one' }, { uri: 'file:///two' }] }
  if (method === 'sampling/createMessage')
    return { role: 'assistant', content: { type: 'text', text: 'Paris' }, model: 'm' }
  if (params.mode === 'url') return { action: 'accept' }
  const { properties, required } = params.requestedSchema as {
    properties: Record<string, { type: string }>
    required: readonly string[]
  }
  const filled = required.map((key) => [key, properties[key]?.type === 'boolean' ? true : key])
  return { action: 'accept', content: Object.fromEntries(filled) }
}
