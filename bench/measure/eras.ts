import type { Goal, Measure, Row } from './measure.ts'
import { correctnessOf, Samples, takeTurns, withStands } from './stand.ts'

const CLIENTS = 32

/** A warm `tools/call` of modern clients that share one process, of a modern and of a legacy tool. */
export const eras: Measure = ({ targets, modern, quick, say }) => {
  const compared = targets.filter(({ name }) => name === 'express' || name === 'toolgate')
  return withStands([...compared, ...modern], async (stands) => {
    const [processes, p99, cpu] = [new Samples(), new Samples(), new Samples()]
    for (const { name, load } of stands) {
      processes.add(name, await load.tell('open', { sessions: CLIENTS, listen: false }))
      const settle = quick ? 1_000 : 3_000
      await load.tell('run', { sessions: CLIENTS, settle, span: 100, pid: null })
    }
    await takeTurns(stands, quick ? 2 : 7, async ({ name, load, pid }) => {
      const order = { sessions: CLIENTS, settle: 250, span: quick ? 1_500 : 2_000, pid }
      const window = await load.tell('run', order)
      p99.add(name, window.p99)
      cpu.add(name, window.cpu === null ? null : window.cpu * 1000)
    })
    const shown = stands.filter(({ name }) => name === 'modern' || name === 'crossed')
    const correct = await correctnessOf(shown, 'calls of modern clients', say, 'modern')
    return {
      rows: [...rowsOf(processes, p99, cpu), correct.row],
      goals: [
        cpuGoal('a modern client on a modern tool (aim: 1.0)', cpu, 'modern', 1.5),
        cpuGoal('a modern client on a legacy tool', cpu, 'crossed', 2),
        processGoal(processes, 'modern'),
        processGoal(processes, 'crossed'),
        correct.goal,
      ],
    }
  })
}

function rowsOf(processes: Samples, p99: Samples, cpu: Samples): Row[] {
  const at = `${CLIENTS} clients of either era`
  return [
    processes.row(`processes for ${at}`, ''),
    p99.row(`warm call, ${at}: p99`, 'ms'),
    cpu.row(`warm call, ${at}: server CPU`, 'µs/call'),
    cpu.rowOfRatios(`warm call, ${at}: server CPU in terms of (b)`, 'express'),
  ]
}

function cpuGoal(what: string, cpu: Samples, name: 'modern' | 'crossed', limit: number): Goal {
  const value = cpu.ratio(name, 'express')
  return {
    what: `gateway CPU per warm call, ${what}`,
    of: 'Toolgate / (b)',
    value,
    limit,
    unit: '×',
  }
}

function processGoal(processes: Samples, name: 'modern' | 'crossed'): Goal {
  const what = `processes for ${CLIENTS} modern clients of a ${name === 'modern' ? 'modern' : 'legacy'} tool`
  return { what, of: 'Toolgate', value: processes.of(name), limit: 1, unit: '' }
}
