import type { Measure } from './measure.ts'
import { correctnessOf, Samples, takeTurns, withStands } from './stand.ts'

/** A session from its first byte to the answer to its first `tools/list`, process start included. */
export const setUp: Measure = ({ targets, quick, say }) =>
  withStands(targets, async (stands) => {
    const samples = new Samples()
    for (const { load } of stands) await load.tell('setUp', { times: 3 })
    await takeTurns(stands, quick ? 2 : 5, async ({ name, load }) => {
      samples.add(name, ...(await load.tell('setUp', { times: quick ? 4 : 6 })))
    })
    const correct = await correctnessOf(stands, 'session set-up', say)
    const row = samples.row('session set-up to the first tools/list', 'ms')
    return { rows: [row, correct.row], goals: [correct.goal] }
  })
