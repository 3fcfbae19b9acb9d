import type { Goal, Measure, Row } from './measure.ts'
import { ratio } from './measure.ts'
import { correctnessOf, Samples, type Stand, takeTurns, withStands } from './stand.ts'

const SESSIONS = 32

/** A warm `tools/call`, at one client and at 32 sessions with a process each. */
export const warm: Measure = ({ targets, quick, say }) =>
  withStands(targets, async (stands) => {
    for (const { name, load } of stands) {
      say(`  ${name}: opening ${SESSIONS} sessions`)
      await load.tell('open', { sessions: SESSIONS, listen: false })
      await load.tell('run', {
        sessions: SESSIONS,
        settle: quick ? 1_000 : 3_000,
        span: 100,
        pid: null,
      })
    }
    const rounds = quick ? 2 : 7
    const one = await measure(stands, 1, rounds, quick ? 700 : 1_000)
    const many = await measure(stands, SESSIONS, rounds, quick ? 1_500 : 2_000)
    const correct = await correctnessOf(stands, 'warm calls', say)
    return {
      rows: [...one.rows, ...many.rows, correct.row],
      goals: [...goalsOf(many), correct.goal],
    }
  })

interface Measured {
  readonly p99: Row
  readonly cpu: Row
  readonly rows: readonly Row[]
}

async function measure(
  stands: readonly Stand[],
  sessions: number,
  rounds: number,
  span: number,
): Promise<Measured> {
  const [p50s, p99s, rates, cpus, clients] = Array.from({ length: 5 }, () => new Samples()) as [
    Samples,
    Samples,
    Samples,
    Samples,
    Samples,
  ]
  await takeTurns(stands, rounds, async ({ name, load, pid }) => {
    const window = await load.tell('run', { sessions, settle: 250, span, pid })
    p50s.add(name, window.p50)
    p99s.add(name, window.p99)
    rates.add(name, window.rate)
    cpus.add(name, window.cpu === null ? null : window.cpu * 1000)
    clients.add(name, window.client * 1000)
  })
  const at = sessions === 1 ? 'one client' : `${sessions} sessions`
  const p99 = p99s.row(`warm call, ${at}: p99`, 'ms')
  const cpu = cpus.row(`warm call, ${at}: server CPU`, 'µs/call')
  const rows = [
    p50s.row(`warm call, ${at}: p50`, 'ms'),
    p99,
    rates.row(`warm call, ${at}: rate`, 'calls/s'),
    cpu,
    clients.row(`warm call, ${at}: CPU of the load client`, 'µs/call'),
  ]
  return { p99, cpu, rows }
}

function goalsOf({ cpu, p99 }: Measured): Goal[] {
  return [
    {
      what: `gateway CPU per warm call, ${SESSIONS} sessions (aim: 1.0)`,
      of: 'Toolgate / (b)',
      value: ratio(cpu.figures.toolgate, cpu.figures.express),
      limit: 1.3,
      unit: '×',
    },
    {
      what: `p99 of a warm call, ${SESSIONS} sessions`,
      of: 'Toolgate / (b)',
      value: ratio(p99.figures.toolgate, p99.figures.express),
      limit: 1.5,
      unit: '×',
    },
  ]
}
