import assert from 'node:assert/strict'
import { test } from 'node:test'
import { noEngine, startEngine } from '../harness/engine.ts'
import { allAnswer, noChaos, nothingLeft, openHouse } from './house.ts'
import { startLoad } from './load.ts'
import { nonEmpty } from './remains.ts'

test('kill -9 the gateway under load: 10 s after the next one listens nothing of it is left', {
  skip: noChaos,
}, async (t) => {
  const engine = noEngine ? undefined : await startEngine(t)
  const house = openHouse(t, { engine })
  const doomed = await house.start()
  const load = await startLoad(t, doomed.url, house.tools)
  doomed.signal('SIGKILL')
  assert.equal(await doomed.exit, 'SIGKILL')
  const { processes = [], files = [] } = nonEmpty(await doomed.remains())
  assert.notDeepEqual(processes, [], 'those that ignore everything are still there')
  assert.notDeepEqual(files, [])
  await load.kill()

  // This one is killed while it looks after the other, and starts its spares.
  const early = await house.start()
  early.signal('SIGKILL')
  await early.exit
  const next = await house.start()
  const gone = Promise.all(
    [doomed, early].map((each) => nothingLeft(each, next.since + 10_000)),
  ).then(() => Date.now() - next.since)
  await Promise.all([gone, allAnswer(next, house.tools)])
  t.diagnostic(`gone ${await gone} ms after the next one listened`)
})
