import assert from 'node:assert/strict'
import { mkdirSync, renameSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { within } from '../harness/until.ts'
import { commandTool, place } from './room.ts'

const INLINE = `import { defineTool, fn, inline } from 'toolgate'
import { z } from 'zod'
import { z as mini } from 'zod/mini'
import { text } from './lib/text.js'

export default defineTool({
  description: text,
  runtime: inline({
    say: fn({ description: 'Say.', input: z.object({ a: z.string() }), run: ({ a }) => a }),
  }),
  tags: [typeof mini.string],
})
`

test('a folder below a CommonJS package.json holds ES modules all the same', async (t) => {
  const room = place(t)
  writeFileSync(join(room.root, 'package.json'), '{"type":"commonjs"}')
  room.write('lib/text.js', "export const text = 'Below CommonJS.'\n")
  room.write('tool.ts', INLINE)
  const registry = await room.open({ watch: false })
  await within(30_000, 'an answer', registry.settled)
  const { declaration, error } = registry.get('tool') ?? {}
  assert.equal(error, undefined)
  assert.equal(declaration?.description, 'Below CommonJS.')
  assert.deepEqual(declaration?.tags, ['function'])
})

test('a folder below node_modules may hold types', async (t) => {
  const room = place(t)
  const folder = join(room.root, 'node_modules', 'mine', 'tools')
  mkdirSync(join(folder, 'lib'), { recursive: true })
  writeFileSync(join(folder, 'lib', 'text.js'), "export const text = 'Below node_modules.'\n")
  writeFileSync(join(folder, 'tool.ts'), `${INLINE}\nexport const typed: string = 'x'\n`)
  const registry = await room.open({ folder, watch: false })
  await within(30_000, 'an answer', registry.settled)
  assert.equal(registry.get('tool')?.declaration?.description, 'Below node_modules.')
})

test('a package keeps its own zod', async (t) => {
  const room = place(t)
  room.write('node_modules/zod/index.js', "export const own = 'Its own.'")
  room.write('node_modules/zod/package.json', '{"type":"module","exports":"./index.js"}')
  room.write('node_modules/dep/index.js', "export { own } from 'zod'")
  room.write('node_modules/dep/package.json', '{"type":"module","exports":"./index.js"}')
  const text = commandTool('x', "import { own } from 'dep'\nimport { z } from 'zod'")
  room.write('tool.ts', text.replace('"x"', "[own, typeof z.object].join(' ')"))
  const registry = await room.open({ watch: false })
  await within(30_000, 'an answer', registry.settled)
  assert.equal(registry.get('tool')?.declaration?.description, 'Its own. function')
})

test('a folder that is not there yet is served once it is', async (t) => {
  const room = place(t)
  const folder = join(room.root, 'later')
  const registry = await room.open({ folder })
  await registry.settled
  assert.deepEqual(registry.list(), [])
  const ready = registry.next('tool', (entry) => entry?.state === 'ready')
  mkdirSync(folder)
  writeFileSync(join(folder, 'tool.ts'), commandTool('Late.'))
  assert.equal((await ready)?.declaration?.description, 'Late.')
})

test('a folder that is replaced by another is followed', async (t) => {
  const room = place(t)
  room.write('tool.ts', commandTool('One.'))
  const registry = await room.open()
  await within(30_000, 'an answer', registry.settled)
  const ready = registry.next('tool', (entry) => entry?.declaration?.description === 'Two.')
  mkdirSync(join(room.root, 'next'))
  writeFileSync(join(room.root, 'next', 'tool.ts'), commandTool('Two.'))
  renameSync(room.folder, join(room.root, 'old'))
  renameSync(join(room.root, 'next'), room.folder)
  await ready
  const edited = registry.next('tool', (entry) => entry?.declaration?.description === 'Three.')
  room.write('tool.ts', commandTool('Three.'))
  await edited
})

test('a folder that is a link is followed to where it points', async (t) => {
  const room = place(t)
  const link = join(room.root, 'current')
  for (const release of ['one', 'two']) {
    mkdirSync(join(room.root, release))
    writeFileSync(join(room.root, release, 'tool.ts'), commandTool(release))
  }
  symlinkSync('one', link)
  const registry = await room.open({ folder: link })
  await within(30_000, 'an answer', registry.settled)
  assert.equal(registry.get('tool')?.declaration?.description, 'one')
  const ready = registry.next('tool', (entry) => entry?.declaration?.description === 'two')
  symlinkSync('two', `${link}.draft`)
  renameSync(`${link}.draft`, link)
  await ready
})

test('a file that is a link, and its target, are followed', async (t) => {
  const room = place(t)
  const target = join(room.root, 'elsewhere.ts')
  writeFileSync(target, commandTool('One.'))
  symlinkSync(target, join(room.folder, 'tool.ts'))
  const registry = await room.open()
  await within(30_000, 'an answer', registry.settled)
  const edited = registry.next('tool', (entry) => entry?.declaration?.description === 'Two.')
  writeFileSync(target, commandTool('Two.'))
  await edited
  const gone = registry.next('tool', (entry) => entry === undefined)
  unlinkSync(join(room.folder, 'tool.ts'))
  await gone
})
