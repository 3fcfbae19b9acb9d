import assert from 'node:assert/strict'
import { test } from 'node:test'
import { missingCapabilities } from '../../src/protocol/asks.ts'

const roots = { method: 'roots/list' }
const sample = (params?: object) => ({ method: 'sampling/createMessage', params })
const elicit = (params?: object) => ({ method: 'elicitation/create', params })

test('what a client declared it can be asked', () => {
  for (const [request, declared] of [
    [roots, { roots: {} }],
    [roots, { roots: { listChanged: true } }],
    [sample(), { sampling: {} }],
    [sample({ messages: [] }), { sampling: { context: {} } }],
    [sample({ tools: [] }), { sampling: { tools: {} } }],
    [elicit(), { elicitation: {} }],
    [elicit({ message: 'hm' }), { elicitation: { form: {} } }],
    [elicit({ mode: 'form' }), { elicitation: {} }],
    [elicit({ mode: 'form' }), { elicitation: { form: {}, url: {} } }],
    [elicit({ mode: 'url' }), { elicitation: { url: {} } }],
  ] as const) {
    assert.equal(missingCapabilities({ key: request }, declared), undefined)
  }
})

test('what it did not declare is named as it would declare it', () => {
  const rest = { other: {}, roots: true, sampling: null, elicitation: 'yes' }
  for (const [request, declared, missing] of [
    [roots, {}, { roots: {} }],
    [roots, rest, { roots: {} }],
    [sample(), { tools: {} }, { sampling: {} }],
    [sample(), rest, { sampling: {} }],
    [sample({ tools: [] }), { sampling: {} }, { sampling: { tools: {} } }],
    [sample({ toolChoice: {} }), { sampling: {} }, { sampling: { tools: {} } }],
    [elicit(), {}, { elicitation: { form: {} } }],
    [elicit(), rest, { elicitation: { form: {} } }],
    [elicit(), { elicitation: { url: {} } }, { elicitation: { form: {} } }],
    [elicit({ mode: 'url' }), { elicitation: {} }, { elicitation: { url: {} } }],
    [elicit({ mode: 'url' }), { elicitation: { form: {} } }, { elicitation: { url: {} } }],
  ] as const) {
    assert.deepEqual(missingCapabilities({ key: request }, declared), missing)
  }
})

test('all that is missing is told at once, and nothing that is there', () => {
  const requests = {
    a: elicit(),
    b: elicit({ mode: 'url' }),
    c: sample({ tools: [] }),
    d: roots,
    e: sample(),
  }
  assert.deepEqual(missingCapabilities(requests, { roots: {} }), {
    elicitation: { form: {}, url: {} },
    sampling: { tools: {} },
  })
  assert.equal(missingCapabilities({}, {}), undefined)
})

test('what no client is asked is the mistake of the tool', () => {
  for (const request of [
    { method: 'tools/list' },
    { method: 'constructor' },
    { method: 7 },
    {},
    null,
    'roots/list',
    elicit({ mode: 'voice' }),
    elicit({ mode: '__proto__' }),
  ]) {
    assert.throws(() => missingCapabilities({ key: request }, { elicitation: {} }), {
      code: 'tool_misbehaved',
    })
  }
})
