import type { Measure } from './measure.ts'
import { targetNamed } from './measure.ts'
import { correctnessOf, withStands } from './stand.ts'
import { figureOf } from './stats.ts'

/** 40 progress notifications in one write with the answer: all arrive, in order, before it. */
export const burst: Measure = async (bench) => {
  const target = targetNamed(bench, 'toolgate')
  if (target === undefined) return { rows: [], goals: [] }
  return withStands([target], async (stands) => {
    const [{ load }] = stands as [(typeof stands)[number]]
    const times = bench.quick ? 50 : 300
    await load.tell('open', { sessions: 1, listen: true })
    const whole = await load.tell('burst', { times })
    const correct = await correctnessOf(stands, 'bursts', bench.say)
    return {
      rows: [
        correct.row,
        {
          what: `bursts of 40 notifications that came whole and in order, of ${times}`,
          unit: '',
          figures: { toolgate: figureOf([whole]) },
        },
      ],
      goals: [
        {
          what: `bursts that did not come whole and in order, of ${times}`,
          of: 'Toolgate',
          value: figureOf([times - whole]),
          limit: 0,
          unit: '',
          correctness: true,
        },
        correct.goal,
      ],
    }
  })
}
