import type { Measure } from './measure.ts'
import { correctnessOf, Samples, takeTurns, withStands } from './stand.ts'
import { figureOf } from './stats.ts'

const MB = 1024 * 1024

/** Results of 1 MB and 8 MB of text. */
export const large: Measure = ({ targets, quick, say }) =>
  withStands(targets, async (stands) => {
    const [small, big, smallCpu, bigCpu] = [
      new Samples(),
      new Samples(),
      new Samples(),
      new Samples(),
    ]
    for (const { load } of stands) {
      await load.tell('open', { sessions: 1, listen: false })
      await load.tell('large', { bytes: MB, times: 10, pid: null })
      await load.tell('large', { bytes: 8 * MB, times: 4, pid: null })
    }
    await takeTurns(stands, quick ? 2 : 7, async ({ name, load, pid }) => {
      const one = await load.tell('large', { bytes: MB, times: quick ? 16 : 24, pid })
      const eight = await load.tell('large', { bytes: 8 * MB, times: quick ? 4 : 8, pid })
      small.add(name, figureOf(one.times)?.median ?? null)
      big.add(name, figureOf(eight.times)?.median ?? null)
      smallCpu.add(name, one.cpu)
      bigCpu.add(name, eight.cpu)
    })
    const correct = await correctnessOf(stands, 'large results', say)
    const time1 = small.row('1 MB result: time', 'ms')
    const time8 = big.row('8 MB result: time', 'ms')
    const cpu8 = bigCpu.row('8 MB result: server CPU', 'ms/call')
    return {
      rows: [time1, time8, smallCpu.row('1 MB result: server CPU', 'ms/call'), cpu8, correct.row],
      goals: [
        {
          what: 'time of an 8 MB result',
          of: '8 MB / 1 MB',
          value: big.ratio('toolgate', 'toolgate', small),
          limit: 11,
          unit: '×',
        },
        {
          what: 'CPU of an 8 MB result',
          of: 'Toolgate / (c)',
          value: bigCpu.ratio('toolgate', 'node-http'),
          limit: 2,
          unit: '×',
        },
        correct.goal,
      ],
    }
  })
