import assert from 'node:assert/strict'
import { readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { within } from '../harness/until.ts'
import { commandTool, place, type Watched } from './room.ts'

const settled = (registry: Watched) => within(30_000, 'an answer for every tool', registry.settled)

function is(description: string) {
  return (entry: Parameters<Parameters<Watched['next']>[1]>[0]) =>
    entry?.state === 'ready' && entry.declaration?.description === description
}

test('a new file, an edit and a removal are told', async (t) => {
  const room = place(t)
  const registry = await room.open()
  await settled(registry)
  const made = registry.next('tool', is('One.'))
  room.write('tool.ts', commandTool('One.'))
  const first = await made
  const edited = registry.next('tool', is('Two.'))
  room.write('tool.ts', commandTool('Two.'))
  const second = await edited
  assert.notEqual(first?.declaration?.version, second?.declaration?.version)
  const gone = registry.next('tool', (entry) => entry === undefined)
  room.remove('tool.ts')
  await gone
  assert.equal(registry.get('tool'), undefined)
})

test('an edit of a helper describes only the tools that import it', async (t) => {
  const room = place(t)
  const helper = (text: string) => `export const text = '${text}'\n`
  room.write('lib/deep/text.ts', helper('One.'))
  room.write('_again.ts', "export * from './lib/deep/text.ts'\n")
  const uses = "import { text } from './_again.ts'"
  room.write('a.ts', commandTool('x', uses).replace('"x"', 'text'))
  room.write('b.ts', commandTool('Alone.'))
  const registry = await room.open()
  await settled(registry)
  const before = registry.get('b')
  const edited = registry.next('a', is('Two.'))
  room.write('lib/deep/text.ts', helper('Two.'))
  await edited
  assert.equal(registry.get('b'), before)
  assert.ok(!registry.changes.slice(2).some((change) => change.startsWith('b')))
})

test('a broken edit keeps the last good version, and its way back is no new version', async (t) => {
  const room = place(t)
  room.write('tool.ts', commandTool('Good.'))
  const registry = await room.open()
  await settled(registry)
  const good = registry.get('tool')?.declaration
  const broke = registry.next('tool', (entry) => entry?.state === 'broken')
  room.write('tool.ts', 'export default {')
  const broken = await broke
  assert.deepEqual(broken?.declaration, good)
  assert.equal(broken?.error?.line, 1)
  const mended = registry.next('tool', is('Good.'))
  room.write('tool.ts', commandTool('Good.'))
  assert.equal((await mended)?.declaration?.version, good?.version)
  assert.equal(registry.get('tool')?.error, undefined)
})

test('an import that led nowhere is mended by the file that was missing', async (t) => {
  const room = place(t)
  room.write('tool.ts', commandTool('Whole.', "import './_missing.ts'"))
  const registry = await room.open()
  await settled(registry)
  assert.equal(registry.get('tool')?.state, 'broken')
  const mended = registry.next('tool', is('Whole.'))
  room.write('_missing.ts', 'export {}')
  await mended
})

test('a file that loops is mended by an edit of the helper it loops in, at once', async (t) => {
  const room = place(t)
  room.write('_loop.ts', 'for (;;) {}')
  room.write('tool.ts', commandTool('Mended.', "import './_loop.ts'"))
  room.write('other.ts', commandTool('Other.'))
  const registry = await room.open({ describeTimeout: 120_000 })
  const other = registry.get('other')?.state === 'ready' || registry.next('other', is('Other.'))
  await other
  const mended = registry.next('tool', is('Mended.'))
  room.write('_loop.ts', 'export {}')
  await mended
  await settled(registry)
})

test('tools that loop hold up nobody', async (t) => {
  const room = place(t)
  for (const name of ['a1', 'a2', 'a3']) room.write(`${name}.ts`, 'for (;;) {}')
  room.write('b.ts', commandTool('Quick.'))
  const registry = await room.open({ describeTimeout: 60_000 })
  if (registry.get('b')?.state !== 'ready') await registry.next('b', is('Quick.'))
  assert.equal(registry.get('a1')?.state, 'loading')
})

test('a touched file is no change', async (t) => {
  const room = place(t)
  const file = room.write('tool.ts', commandTool('Same.'))
  const registry = await room.open()
  await settled(registry)
  const entry = registry.get('tool')
  utimesSync(file, new Date(), new Date())
  writeFileSync(file, commandTool('Same.'))
  // The new tool is read after the touched one was looked at.
  const made = registry.next('witness', is('Witness.'))
  room.write('witness.ts', commandTool('Witness.'))
  await made
  assert.equal(registry.get('tool'), entry)
})

test('a second start reads nothing again, and an edit meanwhile is seen', async (t) => {
  const room = place(t)
  room.write('_text.ts', "export const text = 'One.'")
  const uses = "import { text } from './_text.ts'"
  room.write('a.ts', commandTool('x', uses).replace('"x"', 'text'))
  room.write('b.ts', commandTool('B.'))
  const first = await room.open()
  await settled(first)
  const version = first.get('b')?.declaration?.version
  await first.close()
  const stored = join(room.cache, 'declarations')
  const times = () =>
    readdirSync(stored).map((file) => [file, statSync(join(stored, file)).mtimeMs])
  const before = times()
  const second = await room.open()
  await settled(second)
  assert.deepEqual(times(), before)
  assert.equal(second.get('b')?.declaration?.version, version)
  await second.close()
  room.write('_text.ts', "export const text = 'Two.'")
  const third = await room.open()
  await settled(third)
  assert.equal(third.get('a')?.declaration?.description, 'Two.')
})

test('a spoiled cache is a miss', async (t) => {
  const room = place(t)
  room.write('tool.ts', commandTool('Good.'))
  const first = await room.open()
  await settled(first)
  await first.close()
  const stored = join(room.cache, 'declarations')
  for (const file of readdirSync(stored)) writeFileSync(join(stored, file), '{"gateway":')
  const second = await room.open()
  await settled(second)
  assert.equal(second.get('tool')?.declaration?.description, 'Good.')
})

test('a cache that cannot be written breaks no tool', async (t) => {
  const room = place(t)
  room.write('tool.ts', commandTool('Good.'))
  writeFileSync(room.cache, 'no folder')
  const registry = await room.open()
  await settled(registry)
  assert.equal(registry.get('tool')?.declaration?.description, 'Good.')
})

test('closing ends a description under way', async (t) => {
  const room = place(t)
  room.write('tool.ts', 'for (;;) {}')
  const registry = await room.open({ describeTimeout: 600_000 })
  await within(20_000, 'the registry is closed', registry.close())
  await registry.settled
})

test('many edits in a row end with the last', async (t) => {
  const room = place(t)
  room.write('tool.ts', commandTool('0'))
  const registry = await room.open()
  await settled(registry)
  const last = registry.next('tool', is('40'))
  for (let edit = 1; edit <= 40; edit++) {
    room.write('tool.ts', commandTool(String(edit)))
    await new Promise((later) => setTimeout(later, 10))
  }
  await last
})
