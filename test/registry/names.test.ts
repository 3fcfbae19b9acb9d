import assert from 'node:assert/strict'
import { test } from 'node:test'
import { within } from '../harness/until.ts'
import { commandTool, place } from './room.ts'

test('only modules at the top of the folder that do not begin with _ or . are tools', async (t) => {
  const room = place(t)
  for (const file of ['a.ts', 'b.mts', 'c.js', 'd.mjs']) room.write(file, commandTool(file))
  for (const file of ['_e.ts', '.f.ts', 'g.d.ts', 'h.txt', 'i.ts~', 'sub/j.ts', 'k.cjs']) {
    room.write(file, 'throw new Error()')
  }
  const registry = await room.open({ watch: false })
  assert.deepEqual(
    registry.list().map(({ name, state }) => `${name}:${state}`),
    ['a:loading', 'b:loading', 'c:loading', 'd:loading'],
  )
  await within(30_000, 'an answer for every tool', registry.settled)
  assert.deepEqual(
    registry.list().map(({ declaration }) => declaration?.description),
    ['a.ts', 'b.mts', 'c.js', 'd.mjs'],
  )
})

test('a name that is not allowed is listed as broken, with the allowed form', async (t) => {
  const room = place(t)
  for (const name of ['my tool', 'a__b', 'invoke', 'dot.ted', 'é', 'x'.repeat(65)]) {
    room.write(`${name}.ts`, commandTool('x'))
  }
  const registry = await room.open({ watch: false })
  await registry.settled
  assert.equal(registry.list().length, 6)
  for (const entry of registry.list()) {
    assert.equal(entry.state, 'broken')
    assert.match(entry.error?.message ?? '', /cannot be the name of a tool$/)
    assert.match(entry.error?.expected ?? '', /^1 to 64 letters/)
  }
})

test('two files of one name are broken, and both are named', async (t) => {
  const room = place(t)
  room.write('a.js', commandTool('x'))
  room.write('a.ts', commandTool('x'))
  const registry = await room.open({ watch: false })
  await registry.settled
  const [entry, ...others] = registry.list()
  assert.equal(others.length, 0)
  assert.match(entry?.error?.message ?? '', /a\.js and .*a\.ts/)
})
