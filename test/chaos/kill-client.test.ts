import assert from 'node:assert/strict'
import { test } from 'node:test'
import { allAnswer, noChaos, openHouse } from './house.ts'
import { startLoad } from './load.ts'
import { settled } from './settled.ts'

/** The spares of `celled`, and the least of `pool`. */
const kept = { celled: 2, pool: 1 }

test('kill -9 a client under load: its sessions end, and all is as it was before', {
  skip: noChaos,
}, async (t) => {
  const house = openHouse(t)
  // It may be killed where it has no connection open: only its silence tells then.
  const gateway = await house.start({ sessions: { resume: '2s', idle: '4s' } })
  await allAnswer(gateway, house.tools)
  const before = await settled(gateway, { kept })
  for (const round of [1, 2]) {
    const load = await startLoad(t, gateway.url, house.tools)
    assert.ok((await gateway.remains()).processes.length > before.remains.processes.length + 15)
    await load.kill()
    const since = performance.now()
    await settled(gateway, { kept, before })
    t.diagnostic(`round ${round}: as before after ${Math.round(performance.now() - since)} ms`)
  }
  await allAnswer(gateway, house.tools)
})
