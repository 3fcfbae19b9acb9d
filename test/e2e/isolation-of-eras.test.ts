import assert from 'node:assert/strict'
import { after, type TestContext, test } from 'node:test'
import { modern, modernStream } from '../harness/modern.ts'
import { raw } from '../harness/raw.ts'
import { type Json, messageIn, openSession, textOf } from '../harness/session.ts'
import { openSseSession } from '../harness/sse-session.ts'
import { until } from '../harness/until.ts'
import { as, CALLERS, openToBoth, TOOLS } from './two-callers.ts'

const gateway = await openToBoth({ after })
const mcp = (tool: string) => `${gateway.url}/mcp/${tool}`
const all = `${gateway.url}/mcp`

/** What a client saw of one call: every progress message, and the text of the answer. */
interface Told {
  readonly progress: readonly unknown[]
  readonly text: string
}
type Tell = (n: number) => Promise<Told>
/** A client of this caller, for calls of `tell` of a tool; its ids and tokens are those of all. */
type Open = (t: TestContext, who: string, tool: string) => Promise<Tell>

const ENTRANCES: Readonly<Record<string, Open>> = {
  'a modern client': async (_t, who, tool) => (n) => modernTell(mcp(tool), 'tell', who, n),
  'a modern client of all tools': async (_t, who, tool) => (n) =>
    modernTell(all, `${tool}__tell`, who, n),
  'a session': (_t, who, tool) => sessionTell(mcp(tool), 'tell', who),
  'a session with all tools': (_t, who, tool) => sessionTell(all, `${tool}__tell`, who),
  async 'a session over HTTP+SSE'(t, who, tool) {
    const { stream, post } = await openSseSession(`${mcp(tool)}/sse`, as(who))
    t.after(() => stream.abort())
    return async (n) => {
      // The ids of its own handshake end before this.
      const id = 100 + n
      const params = { name: 'tell', arguments: { who, n }, _meta: { progressToken: n } }
      await post({ jsonrpc: '2.0', id, method: 'tools/call', params })
      const isAnswer = ({ data }: { data: string }) => data.includes(`"id":${id}`)
      const answer = messageIn(await stream.waitFor(`answer ${n}`, isAnswer))
      const mine = stream.events.filter(({ event }) => event === 'message').map(messageIn)
      return { progress: messagesOf(mine, n), text: textOf(answer) }
    }
  },
  REST: async (_t, who, tool) => async (n) => {
    const headers = { ...as(who), accept: 'text/event-stream' }
    const reply = await raw(`${gateway.url}/v1/tools/${tool}/tell`, {
      method: 'POST',
      headers,
      body: { who, n },
    })
    const said = reply.events.map(({ event, data }) => [event, JSON.parse(data)] as const)
    const progress = said
      .filter(([event]) => event === 'progress')
      .map(([, { message }]) => message)
    const [, { content }] = said.at(-1) as (typeof said)[number]
    return { progress, text: content[0].text }
  },
}

async function modernTell(url: string, name: string, who: string, n: number): Promise<Told> {
  const options = { headers: as(who), meta: { progressToken: 'p' }, id: 1 }
  const reply = await modern(url, 'tools/call', { name, arguments: { who, n } }, options)
  const messages = reply.events.map(messageIn)
  assert.equal(messages.at(-1)?.id, 1, reply.text)
  return { progress: messagesOf(messages, 'p'), text: textOf(messages.at(-1) ?? {}) }
}

async function sessionTell(url: string, name: string, who: string): Promise<Tell> {
  const session = await openSession(url, { headers: as(who) })
  return async (n) => {
    const params = { name, arguments: { who, n }, _meta: { progressToken: n } }
    const stream = await session.stream('tools/call', params, n)
    await stream.closed
    const messages = stream.events.map(messageIn)
    assert.equal(messages.at(-1)?.id, n)
    return { progress: messagesOf(messages, n), text: textOf(messages.at(-1) ?? {}) }
  }
}

/** What the progress under this token says; it is all the progress that there is on its stream. */
function messagesOf(messages: readonly Json[], token: unknown): unknown[] {
  const progress = messages.filter(({ method }) => method === 'notifications/progress')
  const params = progress.map(({ params }) => params as Json)
  return params.filter(({ progressToken }) => progressToken === token).map(({ message }) => message)
}

for (const tool of TOOLS) {
  test(`on one ${tool} process nobody is told what another one is told`, async (t) => {
    const opening = Object.entries(ENTRANCES).flatMap(([entrance, open]) =>
      CALLERS.map(async (who) => ({ entrance, who, tell: await open(t, who, tool) })),
    )
    const clients = await Promise.all(opening)
    const pids = new Set<number>()
    const calls = clients.flatMap(({ entrance, who, tell }) =>
      Array.from({ length: 25 }, async (_, n) => {
        const { progress, text } = await tell(n)
        const { pid, ...told } = JSON.parse(text)
        pids.add(pid)
        assert.deepEqual(told, { who, n }, entrance)
        assert.deepEqual(progress, Array(3).fill(`${who} ${n}`), entrance)
      }),
    )
    await Promise.all(calls)
    assert.equal(pids.size, 1)
  })
}

for (const tool of ['modern', 'legacy']) {
  test(`on one ${tool} process nobody hears what another one listens for`, async (t) => {
    const filter = (who: string) => ({
      notifications: { resourceSubscriptions: [`test://${who}`] },
    })
    const clients = CALLERS.map(async (who) => {
      const headers = as(who)
      const options = { headers, id: 'the same' }
      const listen = await modernStream(mcp(tool), 'subscriptions/listen', filter(who), options)
      t.after(() => listen.abort())
      await listen.waitFor('the acknowledgement', () => true)
      const session = await openSession(mcp(tool), { headers })
      await session.request('resources/subscribe', { uri: `test://${who}` }, 7)
      const server = await session.listen()
      t.after(() => server.abort())
      return { who, streams: [listen, server] }
    })
    const opened = await Promise.all(clients)
    const touch = (who: string) => ({ name: 'touch', arguments: { who } })
    for (const who of ['ada', 'bob', 'ada']) {
      await modern(mcp(tool), 'tools/call', touch(who), { headers: as('bob') })
    }
    for (const { who, streams } of opened) {
      const touched = who === 'ada' ? 2 : 1
      for (const stream of streams) {
        const heard = () => stream.events.filter(({ data }) => data.includes('resources/updated'))
        await until('every update', () => heard().length >= touched)
        const uris = heard().map((event) => Object(messageIn(event).params).uri)
        assert.deepEqual(uris, Array(touched).fill(`test://${who}`))
      }
    }
  })
}
