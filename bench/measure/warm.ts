import type { Goal, Measure, Row } from './measure.ts'
import { correctnessOf, Samples, type Stand, takeTurns, withStands } from './stand.ts'

const SESSIONS = 32

/** A warm `tools/call`, at one client and at 32 sessions with a process each. */
export const warm: Measure = ({ targets, quick, say }) =>
  withStands(targets, async (stands) => {
    const processes = new Samples()
    const rounds = quick ? 2 : 7
    for (const { name, load } of stands) {
      say(`  ${name}: opening ${SESSIONS} sessions`)
      processes.add(name, await load.tell('open', { sessions: SESSIONS, listen: false }))
      const settle = quick ? 1_000 : 3_000
      await load.tell('run', { sessions: SESSIONS, settle, span: 100, pid: null })
    }
    const one = await measure(stands, 1, rounds, quick ? 700 : 1_000)
    const many = await measure(stands, SESSIONS, rounds, quick ? 1_500 : 2_000)
    const correct = await correctnessOf(stands, 'warm calls', say)
    const shared = processes.row(`processes for ${SESSIONS} sessions`, '')
    return {
      rows: [
        ...rowsOf(one, 'one client'),
        ...rowsOf(many, `${SESSIONS} sessions`),
        shared,
        correct.row,
      ],
      goals: [...goalsOf(many), correct.goal],
    }
  })

interface Measured {
  readonly p50: Samples
  readonly p99: Samples
  readonly rate: Samples
  /** In µs for each call, of the server and of the load client. */
  readonly cpu: Samples
  readonly client: Samples
}

async function measure(
  stands: readonly Stand[],
  sessions: number,
  rounds: number,
  span: number,
): Promise<Measured> {
  const [p50, p99, rate] = [new Samples(), new Samples(), new Samples()]
  const [cpu, client] = [new Samples(), new Samples()]
  await takeTurns(stands, rounds, async ({ name, load, pid }) => {
    const window = await load.tell('run', { sessions, settle: 250, span, pid })
    p50.add(name, window.p50)
    p99.add(name, window.p99)
    rate.add(name, window.rate)
    cpu.add(name, window.cpu === null ? null : window.cpu * 1000)
    client.add(name, window.client * 1000)
  })
  return { p50, p99, rate, cpu, client }
}

function rowsOf({ p50, p99, rate, cpu, client }: Measured, at: string): Row[] {
  return [
    p50.row(`warm call, ${at}: p50`, 'ms'),
    p99.row(`warm call, ${at}: p99`, 'ms'),
    rate.row(`warm call, ${at}: rate`, 'calls/s'),
    cpu.row(`warm call, ${at}: server CPU`, 'µs/call'),
    cpu.rowOfRatios(`warm call, ${at}: server CPU in terms of (b)`, 'express'),
    client.row(`warm call, ${at}: CPU of the load client`, 'µs/call'),
  ]
}

function goalsOf({ cpu, p99 }: Measured): Goal[] {
  return [
    {
      what: `gateway CPU per warm call, ${SESSIONS} sessions (aim: 1.0)`,
      of: 'Toolgate / (b)',
      value: cpu.ratio('toolgate', 'express'),
      limit: 1.3,
      unit: '×',
    },
    {
      what: `p99 of a warm call, ${SESSIONS} sessions`,
      of: 'Toolgate / (b)',
      value: p99.ratio('toolgate', 'express'),
      limit: 1.5,
      unit: '×',
    },
  ]
}
