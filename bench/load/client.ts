// A load process: told by IPC what to do to one server, it answers with figures.
// `node bench/load/client.ts AIM`, with the aim as JSON.
import { cpuOf } from '../measure/proc.ts'
import { HttpSession } from './http-session.ts'
import { callOnce, type Faults, fault, type Member, runWindow } from './loop.ts'
import { ModernSession } from './modern-session.ts'
import type { Aim, Done, Orders, Sent } from './orders.ts'
import { PipeSession } from './pipe-session.ts'
import { textOf } from './session.ts'

const aim: Aim = JSON.parse(process.argv[2] ?? 'null')
const faults: Faults = { wrong: 0, foreign: 0, lost: 0, words: [] }
const members: Member[] = []
/** Spawned before it is needed, where the aim says so. */
let ahead: Member | undefined
let named = 0

const orders: { [Name in keyof Orders]: (order: Parameters<Orders[Name]>[0]) => unknown } = {
  async open({ sessions, listen }) {
    // A few at a time, so that starting processes does not run into a time limit.
    const fresh = Array.from({ length: sessions }, newMember)
    members.push(...fresh)
    for (let at = 0; at < fresh.length; at += 4) {
      await Promise.all(
        fresh.slice(at, at + 4).map(async (member) => {
          await member.session.open()
          if (listen) await member.session.listen()
          await callOnce(member, faults)
        }),
      )
    }
    return new Set(members.map((member) => member.process)).size
  },

  async setUp({ times }) {
    const taken: number[] = []
    for (let round = 0; round < times; round++) {
      const from = performance.now()
      const { session } = ahead ?? newMember()
      await session.open()
      const answer = await session.ask('tools/list', {})
      taken.push(answer.at - from)
      if (answer.messages().at(-1)?.result?.tools === undefined) {
        fault(faults, 'wrong', JSON.stringify(answer.messages()).slice(0, 300))
      }
      await session.close()
      if (aim.kind === 'pipes' && aim.ahead === true) ahead = newMember()
    }
    return taken
  },

  run: ({ sessions, ...window }) => runWindow(members.slice(0, sessions), window, faults),

  async large({ bytes, times, pid }) {
    const { session } = members[0] as Member
    const taken: number[] = []
    const before = pid === null ? null : cpuOf(pid)
    for (let round = 0; round < times; round++) {
      const from = performance.now()
      const answer = await session.ask('tools/call', { name: 'blob', arguments: { bytes } })
      taken.push(answer.at - from)
      const { length } = textOf(answer, session.id)
      if (length !== bytes) fault(faults, 'wrong', `${length} bytes in place of ${bytes}`)
    }
    const after = pid === null ? null : cpuOf(pid)
    return {
      times: taken,
      cpu: before === null || after === null ? null : (after - before) / times,
    }
  },

  async burst({ times }) {
    const { session } = members[0] as Member
    let whole = 0
    for (let round = 0; round < times; round++) {
      const progressToken = `burst-${round}`
      const params = { name: 'burst', arguments: {}, _meta: { progressToken } }
      const messages = (await session.ask('tools/call', params)).messages()
      const inOrder = messages
        .slice(0, -1)
        .every(
          ({ params }, at) => params?.progressToken === progressToken && params.progress === at + 1,
        )
      if (messages.length === 41 && inOrder && messages[40]?.id === session.id) whole++
      else fault(faults, 'lost', `${messages.length - 1} of 40 in order: ${inOrder}`)
    }
    return whole
  },

  async hang({ sessions }) {
    for (const { session } of members.slice(-sessions)) {
      session.ask('tools/call', { name: 'sleep', arguments: { ms: 50_000 } }).catch(() => {})
    }
    return null
  },

  async close() {
    await Promise.all(members.splice(0).map(({ session }) => session.close()))
    return null
  },

  faults: () => faults,
}

function newMember(): Member {
  return { name: `${process.pid}-${++named}`, session: newSession(aim) }
}

function newSession(aim: Aim): Member['session'] {
  if (aim.kind === 'pipes') return new PipeSession(aim.command)
  return aim.kind === 'http' ? new HttpSession(aim.url) : new ModernSession(aim.url)
}

process.on('message', async ({ at, name, order }: Sent) => {
  const done: Done = await Promise.resolve()
    .then(() => orders[name](order as never))
    .then(
      (value) => ({ at, value }),
      (error) => ({ at, failure: String(error?.stack ?? error) }),
    )
  process.send?.(done)
})
process.on('disconnect', () => process.exit(0))
