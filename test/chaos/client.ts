/**
 * A client process that keeps a gateway busy: `client.ts URL TOOL…`. It says `{"busy":true}` when all
 * of it is under way and, once its stdin ends, how often what was answered.
 */
import { text } from 'node:stream/consumers'
import { setTimeout as pause } from 'node:timers/promises'
import { modern } from '../harness/modern.ts'
import { raw } from '../harness/raw.ts'
import { openSession, type Session } from '../harness/session.ts'

const [url = '', ...tools] = process.argv.slice(2)
const counts: Record<string, number> = {}
const begun: Promise<unknown>[] = []
let over = false
/** It is counted already. */
const NOT_BEGUN = new Error('the first call failed')

for (const tool of tools) {
  const leaves = tool.startsWith('leaves')
  const [name, args] = leaves ? ['spawn', { detached: true }] : ['count', {}]
  const endpoint = `${url}/mcp/${tool}`
  // A session that calls all the time, and one whose call hangs when it is left.
  keep(() => openBusy(endpoint, name, args, leaves ? 3_000 : 20))
  if (leaves || tool === 'inline') continue
  keep(() => openHanging(endpoint))
}
for (const tool of tools.filter((each) => /^(celled|pool|inline)$/.test(each))) {
  const call = { name: 'count', arguments: {} }
  // Each of these calls of a launcher starts a process.
  const every = tool === 'celled' ? 200 : 20
  keep(() =>
    repeat(`modern ${tool}`, every, () => modern(`${url}/mcp/${tool}`, 'tools/call', call)),
  )
  const rest = `${url}/v1/tools/${tool}/count`
  keep(() => repeat(`rest ${tool}`, every, () => raw(rest, { method: 'POST', body: {} })))
}
await Promise.all(begun)
process.stdout.write(`${JSON.stringify({ busy: true })}\n`)
await text(process.stdin)
over = true
process.stdout.write(`${JSON.stringify({ counts })}\n`)
process.exit()

/** Runs it again and again: what it works with may end under it. `begun` once it has worked. */
function keep(run: () => Promise<{ ended: Promise<unknown> }>): void {
  let first = () => {}
  begun.push(
    new Promise<void>((resolve) => {
      first = resolve
    }),
  )
  const again = async () => {
    while (!over) {
      await run()
        .then(({ ended }) => {
          first()
          return ended
        })
        .catch((error: Error) => error === NOT_BEGUN || count('not begun', codeIn(error)))
      await pause(50)
    }
  }
  void again()
}

async function openBusy(endpoint: string, name: string, args: object, every: number) {
  const session = await opened(endpoint)
  const call = { jsonrpc: '2.0', method: 'tools/call', params: { name, arguments: args } }
  let id = 0
  return repeat(`session ${endpoint.split('/').at(-1)}`, every, () => {
    id += 1
    return session.post({ ...call, id })
  })
}

async function openHanging(endpoint: string) {
  const session = await opened(endpoint)
  const call = { name: 'count', arguments: { wait: 60_000 } }
  const stream = await session.stream('tools/call', call, 1)
  return { ended: stream.closed }
}

async function opened(endpoint: string): Promise<Session> {
  const session = await openSession(endpoint)
  await session.listen()
  return session
}

/** Until one fails. */
async function repeat(
  what: string,
  every: number,
  send: () => Promise<{ status: number; json(): Record<string, unknown>; text: string }>,
) {
  const once = async () => {
    const reply = await send()
    const { error } = reply.json() as { error?: { code?: number } }
    const code = error?.code ?? (reply.status === 200 ? 'ok' : reply.status)
    count(what, String(code))
    return code === 'ok'
  }
  if (!(await once())) throw NOT_BEGUN
  const on = async () => {
    do await pause(every)
    while (!over && (await once()))
  }
  return { ended: on() }
}

/** Of a failed assertion that holds the answer; else what it says. */
function codeIn({ message }: Error): string {
  return /"code":(-?\d+)/.exec(message)?.[1] ?? message
}

function count(what: string, outcome: string): void {
  const key = `${what}: ${outcome}`
  counts[key] = (counts[key] ?? 0) + 1
}
