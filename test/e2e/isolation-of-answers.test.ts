import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { modern, type modernStream } from '../harness/modern.ts'
import { type Reply, raw } from '../harness/raw.ts'
import { errorOf, type Json, messageIn, openSession, resultOf, textOf } from '../harness/session.ts'
import { openSseSession } from '../harness/sse-session.ts'
import { as, CALLERS, openToBoth } from './two-callers.ts'

const gateway = await openToBoth({ after })
const ELICITATION = { elicitation: { form: {} } }
const mcp = (tool: string) => `${gateway.url}/mcp/${tool}`
const all = `${gateway.url}/mcp`

const ask = (who: string) => ({ name: 'ask', arguments: { who } })
const answer = (who: string) => ({ action: 'accept', content: { who } })
/** One answer for whatever is asked. */
const answersTo = ({ inputRequests }: Json, who: string) =>
  Object.fromEntries(Object.keys(inputRequests as Json).map((key) => [key, answer(who)]))
const modernAsk = (url: string, who: string, params: Json) =>
  modern(url, 'tools/call', params, { headers: as(who), capabilities: ELICITATION })
const wrong = (state: unknown) =>
  `${String(state).slice(0, -1)}${String(state).endsWith('A') ? 'B' : 'A'}`

for (const tool of ['modern', 'inline']) {
  for (const [url, name, other, otherName] of [
    [mcp(tool), 'ask', all, `${tool}__ask`],
    [all, `${tool}__ask`, mcp(tool), 'ask'],
  ] as const) {
    test(`what one is asked by the ${tool} tool, no other answers at ${new URL(url).pathname}`, async () => {
      // Both ask the same thing, under the same ids; the tool gives both the same state.
      const params = { ...ask('whoever'), name }
      const asked = new Map<string, Json>()
      for (const who of CALLERS) {
        const result = resultOf((await modernAsk(url, who, params)).json())
        assert.equal(result.resultType, 'input_required')
        asked.set(who, result)
      }
      const [ofAda = {}, ofBob = {}] = asked.values()
      const [adas, bobs] = [ofAda.requestState, ofBob.requestState]
      assert.notEqual(adas, bobs)
      const inputResponses = answersTo(ofAda, 'eve')
      const refused = async (reply: Promise<Reply>) => {
        const { status, json } = await reply
        assert.equal(status, 200)
        const { code, message } = errorOf(json())
        assert.equal(code, -32602)
        assert.doesNotMatch(message, /ada|bob/)
      }
      const retry = (who: string, requestState: unknown, more: Json = {}) =>
        modernAsk(url, who, { ...params, inputResponses, requestState, ...more })
      await refused(retry('bob', adas))
      await refused(retry('ada', bobs))
      await refused(retry('ada', wrong(adas)))
      await refused(retry('ada', 'the same'))
      await refused(retry('ada', adas, { arguments: { who: 'another' } }))
      await refused(
        modernAsk(other, 'ada', { ...params, name: otherName, inputResponses, requestState: adas }),
      )
      const going = [...asked].map(async ([who, result]) => {
        const more = { requestState: result.requestState, inputResponses: answersTo(result, who) }
        const answered = await modernAsk(url, who, { ...params, ...more })
        assert.deepEqual(JSON.parse(textOf(answered.json())).told, answer(who))
      })
      await Promise.all(going)
    })
  }
}

for (const tool of ['modern', 'inline']) {
  test(`what one is asked by the ${tool} tool over REST, no other answers`, async () => {
    const post = (path: string, who: string, body: Json) =>
      raw(`${gateway.url}/v1/${path}`, { method: 'POST', headers: as(who), body })
    const asked = new Map<string, Json>()
    for (const who of CALLERS) {
      const reply = await post(`tools/${tool}/ask`, who, { who: 'whoever' })
      assert.equal(reply.status, 409, reply.text)
      asked.set(who, reply.json())
    }
    const [ofAda = {}, ofBob = {}] = asked.values()
    const [adas, bobs] = [ofAda.continuation, ofBob.continuation]
    const go = (who: string, continuation: unknown, as = 'eve') => {
      return post('continuations', who, { continuation, inputResponses: answersTo(ofAda, as) })
    }
    for (const [who, continuation] of [
      ['bob', adas],
      ['ada', bobs],
      ['ada', wrong(adas)],
      ['ada', 'the same'],
    ] as const) {
      const { status, text } = await go(who, continuation)
      assert.equal(status, 400, text)
      assert.match(text, /"code":"invalid_params"/)
      assert.doesNotMatch(text, /bob|ada\b/)
    }
    // A state of the one wire is none of the other.
    const stray = { ...ask('whoever'), inputResponses: answersTo(ofAda, 'eve'), requestState: adas }
    assert.equal(errorOf((await modernAsk(mcp(tool), 'ada', stray)).json()).code, -32602)
    const params = { ...ask('whoever') }
    const { requestState } = resultOf((await modernAsk(mcp(tool), 'ada', params)).json())
    assert.equal((await go('ada', requestState)).status, 400)
    for (const [who, { continuation }] of asked) {
      const { content } = (await go(who, continuation, who)).json()
      const [{ text }] = content as [{ text: string }]
      assert.deepEqual(JSON.parse(text).told, answer(who))
    }
  })

  for (const [url, name] of [
    [mcp(tool), 'ask'],
    [all, `${tool}__ask`],
  ] as const) {
    test(`what a session is asked by the ${tool} tool, no other answers at ${new URL(url).pathname}`, async () => {
      const sessions = await Promise.all(
        CALLERS.map((who) => openSession(url, { headers: as(who), capabilities: ELICITATION })),
      )
      const opened = sessions.map(async (session, at) => {
        const stream = await session.stream(
          'tools/call',
          { ...ask(CALLERS[at] as string), name },
          1,
        )
        const question = messageIn(await stream.waitFor('its question', isQuestion))
        assert.equal(Object(question.params).message, CALLERS[at])
        return { session, stream, question }
      })
      const [adas, bobs] = (await Promise.all(opened)) as [Asked, Asked]
      // Of no use in a session of one's own, and the other's session is not to be had.
      assert.equal((await bobs.session.respond(adas.question.id, answer('eve'))).status, 202)
      const body = { jsonrpc: '2.0', id: adas.question.id, result: answer('eve') }
      const stolen = { ...adas.session.headers, ...as('bob') }
      assert.equal((await raw(url, { method: 'POST', headers: stolen, body })).status, 404)
      assert.equal(
        (await raw(url, { headers: { ...stolen, accept: 'text/event-stream' } })).status,
        404,
      )
      assert.equal((await raw(url, { method: 'DELETE', headers: stolen })).status, 404)
      for (const [at, { session, stream, question }] of [adas, bobs].entries()) {
        const who = CALLERS[at] as string
        await session.respond(question.id, answer(who))
        await stream.closed
        const last = messageIn(stream.events.at(-1) as never)
        assert.deepEqual(JSON.parse(textOf(last)), { who, told: answer(who) })
        await session.end()
      }
    })
  }
}

test("a session's stream and endpoint over HTTP+SSE are its caller's alone", async (t) => {
  const { stream, endpoint, request } = await openSseSession(`${mcp('legacy')}/sse`, as('ada'))
  t.after(() => stream.abort())
  const ping = { jsonrpc: '2.0', id: 'eve', method: 'ping' }
  const stolen = await raw(endpoint, { method: 'POST', headers: as('bob'), body: ping })
  assert.equal(stolen.status, 404)
  assert.deepEqual((await request('ping')).result, {})
  assert.ok(!stream.events.some(({ data }) => data.includes('eve')))
})

interface Asked {
  readonly session: Awaited<ReturnType<typeof openSession>>
  readonly stream: Awaited<ReturnType<typeof modernStream>>
  readonly question: Json
}

function isQuestion({ data }: { readonly data: string }): boolean {
  return data.includes('"elicitation/create"')
}
