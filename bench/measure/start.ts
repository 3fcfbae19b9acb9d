import { setTimeout as wait } from 'node:timers/promises'
import { Connection } from '../load/connection.ts'
import { HttpSession } from '../load/http-session.ts'
import { textOf } from '../load/session.ts'
import type { Started, Target, TargetName } from '../targets/targets.ts'
import type { Measure } from './measure.ts'
import { Samples } from './stand.ts'

/** From the spawn of the server to its first answer, over server-everything, caches warm. */
export const start: Measure = async (bench) => {
  const { quick, say } = bench
  const servers = bench.targets.filter(({ name }) =>
    (['express', 'node-http', 'toolgate', 'other'] as TargetName[]).includes(name),
  )
  const gateway = servers.filter(({ name }) => name === 'toolgate' || name === 'other')
  const [listening, mcp, rest, contract] = [
    new Samples(),
    new Samples(),
    new Samples(),
    new Samples(),
  ]
  const rounds = quick ? 2 : 7
  for (let round = -1; round < rounds; round++) {
    // The first round fills the caches, and the gateway learns the tools.
    const keep = round >= 0
    for (const target of servers) {
      const [first, ready] = await timed(target, callMcp)
      if (keep) mcp.add(target.name, first)
      if (keep) listening.add(target.name, ready)
    }
    for (const target of gateway) {
      const [first] = await timed(target, callRest)
      if (keep) rest.add(target.name, first)
      const [document] = await timed(target, readContract)
      if (keep) contract.add(target.name, document)
    }
    say(`  start ${round + 1} of ${rounds}`)
  }
  return {
    rows: [
      listening.row('start to listening', 'ms'),
      mcp.row('start to the first answered MCP call, server-everything', 'ms'),
      rest.row('start to the first answered REST call', 'ms'),
      contract.row('start to the first /openapi.json', 'ms'),
    ],
    goals: [
      {
        what: 'first answered MCP call after start, server-everything',
        of: 'Toolgate / (b)',
        value: mcp.ratio('toolgate', 'express'),
        limit: 1.8,
        unit: '×',
      },
    ],
  }
}

/** Time to the first answer and to listening, both from the spawn, in ms. */
async function timed(
  target: Target,
  first: (started: Started) => Promise<void>,
): Promise<[number, number]> {
  const started = await target.start('everything')
  try {
    const { startedAt } = started.server as NonNullable<Started['server']>
    const ready = performance.now() - startedAt
    await first(started)
    return [performance.now() - startedAt, ready]
  } finally {
    await started.server?.end()
  }
}

async function callMcp({ aim }: Started): Promise<void> {
  if (aim.kind !== 'http') throw new Error('Only a server has a start.')
  const session = new HttpSession(aim.url)
  await session.open()
  const params = { name: 'echo', arguments: { message: 'first' } }
  const answer = await session.ask('tools/call', params)
  if (textOf(answer, session.id) !== 'Echo: first') throw new Error('The first answer was wrong.')
  await session.close()
}

const callRest = (started: Started) =>
  untilReady(started, 'POST', '/v1/tools/everything/echo', '{"message":"first"}', 'Echo: first')

const readContract = (started: Started) =>
  untilReady(started, 'GET', '/openapi.json', null, '"openapi"')

// A tool that is not learned yet says 503; the wait for it belongs to the time.
async function untilReady(
  { server }: Started,
  method: string,
  path: string,
  body: string | null,
  expected: string,
): Promise<void> {
  const connection = new Connection((server as NonNullable<Started['server']>).url)
  const headers = { 'Content-Type': 'application/json', Accept: 'application/json' }
  for (const until = performance.now() + 60_000; ; await wait(10)) {
    const reply = await connection.request(method, path, headers, body)
    const text = Buffer.concat(reply.body).toString()
    if (reply.status === 200 && text.includes(expected)) break
    if (reply.status !== 503 || performance.now() > until) {
      throw new Error(`${method} ${path}: ${reply.status} ${text.slice(0, 300)}`)
    }
  }
  connection.destroy()
}
