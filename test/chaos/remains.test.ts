import assert from 'node:assert/strict'
import { test } from 'node:test'
import { noEngine, startEngine } from '../harness/engine.ts'
import { noChaos, nothingLeft, openHouse } from './house.ts'
import { startLoad } from './load.ts'
import { KINDS } from './remains.ts'

const NEEDS_ENGINE = ['containers', 'networks', 'rules']

test('each kind of thing is found while it is there, and none once its gateway has ended', {
  skip: noChaos,
}, async (t) => {
  const engine = noEngine ? undefined : await startEngine(t)
  const house = openHouse(t, { engine })
  const gateway = await house.start()
  await startLoad(t, gateway.url, house.tools)
  const found = await gateway.remains()
  for (const kind of KINDS.filter((each) => engine || !NEEDS_ENGINE.includes(each)))
    assert.notDeepEqual(found[kind], [], kind)
  gateway.signal('SIGTERM')
  assert.equal(await gateway.exit, 0)
  await nothingLeft(gateway, Date.now())
})
