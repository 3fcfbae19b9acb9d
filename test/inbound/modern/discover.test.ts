import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Learned } from '../../../src/catalogue/catalogue.ts'
import { META } from '../../../src/protocol/meta.ts'
import { resultMessage } from '../../../src/protocol/read.ts'
import { modern } from '../../harness/modern.ts'
import { errorOf, type Json, resultOf } from '../../harness/session.ts'
import { type Entrance, openModern } from './entrance.ts'

const SERVER = { name: 'fake', version: '1.2.3' }

function knows(entrance: Entrance, era: Learned['era'], initialize: Json): void {
  const none = { functions: [], prompts: [], resources: [], templates: [] }
  entrance.learned = { state: 'learned', learned: { era, dual: false, initialize, ...none } }
}

test('a legacy tool is discovered from its initialize result, without what is legacy only', async (t) => {
  const entrance = await openModern(t)
  knows(entrance, 'legacy', {
    protocolVersion: '2025-11-25',
    capabilities: {
      tools: { listChanged: true },
      tasks: { list: {} },
      extensions: { 'a.b/c': {} },
    },
    serverInfo: SERVER,
    instructions: 'Be brief.',
  })
  const reply = await modern(entrance.url, 'server/discover')
  assert.equal(reply.status, 200)
  assert.deepEqual(resultOf(reply.json()), {
    resultType: 'complete',
    supportedVersions: ['2026-07-28'],
    capabilities: { tools: { listChanged: true }, extensions: { 'a.b/c': {} } },
    instructions: 'Be brief.',
    ttlMs: 0,
    cacheScope: 'private',
    _meta: { [META.serverInfo]: SERVER },
  })
  assert.deepEqual(entrance.calls, [['fake', 'modern', 'ok']])
})

test('a modern tool is discovered as it says, in the versions that are served here', async (t) => {
  const entrance = await openModern(t)
  const said = {
    resultType: 'complete',
    supportedVersions: ['2026-07-28', '2027-01-01'],
    capabilities: { prompts: {} },
    ttlMs: 5000,
    cacheScope: 'public',
    _meta: { [META.serverInfo]: SERVER, own: 1 },
    more: 2,
  }
  knows(entrance, 'modern', said)
  const reply = await modern(entrance.url, 'server/discover')
  assert.deepEqual(resultOf(reply.json()), { ...said, supportedVersions: ['2026-07-28'] })
})

test('a tool that is not known is answered as what went wrong, under the request id', async (t) => {
  const entrance = await openModern(t)
  const reply = await modern(entrance.url, 'server/discover', {}, { id: 'q' })
  assert.equal(reply.json().id, 'q')
  assert.equal(errorOf(reply.json()).code, -32014)
  assert.deepEqual(entrance.calls, [['fake', 'modern', 'not_learned']])
})

test('a discovery that says too little of itself is refused', async (t) => {
  const entrance = await openModern(t)
  for (const key of [META.protocolVersion, META.clientCapabilities]) {
    const reply = await modern(entrance.url, 'server/discover', {}, { meta: { [key]: undefined } })
    assert.equal(reply.status, 400)
    assert.equal(errorOf(reply.json()).code, -32602)
  }
  const unknown = await modern(
    entrance.url,
    'server/discover',
    {},
    {
      meta: { [META.protocolVersion]: 'v999' },
      headers: { 'mcp-protocol-version': 'v999' },
    },
  )
  assert.equal(unknown.status, 400)
  const { code, data } = errorOf(unknown.json())
  assert.deepEqual([code, data], [-32022, { supported: ['2026-07-28'], requested: 'v999' }])
})

const PUBLIC = { resultType: 'complete', ttlMs: 1000, cacheScope: 'public' }
const CACHED = [
  ['tools/list', {}],
  ['prompts/list', {}],
  ['resources/list', {}],
  ['resources/templates/list', {}],
  ['resources/read', { uri: 'a:b' }],
] as const

for (const [method, params] of CACHED) {
  test(`${method} is public only where everybody may see the same`, async (t) => {
    const scopeWith = async (keys: object[], access = { scopes: [], roles: [] } as object) => {
      const entrance = await openModern(t, keys)
      entrance.tool = { ...entrance.tool, access } as never
      entrance.turns.set(method, (_link, { request }) => ({
        answer: resultMessage(request.id ?? 0, { ...PUBLIC, list: ['"public"'] }),
      }))
      const reply = await modern(entrance.url, method, params)
      const { cacheScope, ttlMs, list } = resultOf(reply.json())
      assert.deepEqual([ttlMs, list], [1000, ['"public"']])
      return cacheScope
    }
    assert.equal(await scopeWith([]), 'public')
    assert.equal(await scopeWith([{ id: 'a' }]), 'private')
    assert.equal(await scopeWith([], { scopes: ['s'], roles: [] }), 'private')
    assert.equal(await scopeWith([], { scopes: [], roles: ['r'] }), 'private')
  })
}

test('a discovery is private where who asks makes a difference', async (t) => {
  const entrance = await openModern(t, [{ id: 'a' }])
  knows(entrance, 'modern', { ...PUBLIC, capabilities: {} })
  const reply = await modern(entrance.url, 'server/discover')
  assert.equal(resultOf(reply.json()).cacheScope, 'private')
})

test('what says "public" of something else stays as it is', async (t) => {
  const entrance = await openModern(t, [{ id: 'a' }])
  const result = { ...PUBLIC, cacheScope: 'private', tools: [{ name: 'public', title: 'public' }] }
  entrance.turns.set('tools/list', (_link, { request }) => ({
    answer: resultMessage(request.id ?? 0, result),
  }))
  assert.deepEqual(resultOf((await modern(entrance.url, 'tools/list')).json()), result)
})
