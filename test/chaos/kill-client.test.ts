import assert from 'node:assert/strict'
import { test } from 'node:test'
import { noEngine, startEngine } from '../harness/engine.ts'
import { allAnswer, keptIn, noChaos, openHouse } from './house.ts'
import { startLoad } from './load.ts'
import { settled } from './settled.ts'

test('kill -9 a client under load: its sessions end, and all is as it was before', {
  skip: noChaos,
}, async (t) => {
  const engine = noEngine ? undefined : await startEngine(t)
  const house = openHouse(t, { engine })
  const kept = keptIn(house)
  // It may be killed where it has no connection open: only its silence tells then.
  const gateway = await house.start({ sessions: { resume: '2s', idle: '4s' } })
  await allAnswer(gateway, house.tools)
  const before = await settled(gateway, { kept })
  for (const round of [1, 2]) {
    const load = await startLoad(t, gateway.url, house.tools)
    const { processes, containers } = await gateway.remains()
    assert.ok(processes.length > before.remains.processes.length + 15)
    // Those of both its sessions, at least.
    if (engine) assert.ok(containers.length >= 2, containers.join())
    await load.kill()
    const since = performance.now()
    await settled(gateway, { kept, before })
    t.diagnostic(`round ${round}: as before after ${Math.round(performance.now() - since)} ms`)
  }
  await allAnswer(gateway, house.tools)
})
