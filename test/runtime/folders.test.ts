import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { Folder } from '../../src/runtime/folders/folder.ts'
import { removeFolder } from '../../src/runtime/folders/remove.ts'
import { roomFor } from './workspace-given.ts'

const PINNED = [...(process.platform === 'linux' ? [true] : []), false]

for (const pinned of PINNED) {
  const how = pinned ? 'held by a descriptor' : 'known by its path'

  test(`a folder ${how} lets nobody through a link`, async (t) => {
    const { root, outside } = roomFor(t)
    mkdirSync(root)
    mkdirSync(outside)
    symlinkSync(outside, join(root, 'link'))
    symlinkSync('nowhere', join(root, 'dangling'))
    writeFileSync(join(root, 'file'), '')
    await using top = await Folder.root(root, pinned)
    assert.equal(top.descriptor === null, !pinned)
    for (const name of ['link', 'dangling', 'file']) {
      await assert.rejects(top.child(name), /is a link or a file, and must be a folder/)
      await assert.rejects(top.ensure(name), /is a link or a file, and must be a folder/)
    }
    await assert.rejects(top.child('nothing'), { code: 'ENOENT' })
    assert.equal(existsSync(join(root, 'nowhere')), false)
    assert.deepEqual(readdirSync(outside), [])
  })

  test(`a folder ${how} makes what is not there, and finds what is`, async (t) => {
    const { root } = roomFor(t)
    mkdirSync(root)
    await using top = await Folder.root(root, pinned)
    const made = await Promise.all(Array.from({ length: 20 }, () => top.ensure('same')))
    for (const each of made) {
      assert.equal(each.path, join(top.path, 'same'))
      await each[Symbol.asyncDispose]()
    }
    await assert.rejects(top.make('same'), { code: 'EEXIST' })
    for (let file = 0; file < 100; file += 1) writeFileSync(join(root, 'same', `${file}`), '')
    await using same = await top.child('same')
    const seen: string[] = []
    for await (const few of same.names()) seen.push(...few.map(String))
    assert.deepEqual(seen.sort(), readdirSync(join(root, 'same')).sort())
  })

  test(`what lies in a folder ${how} is removed, but not what links in it lead to`, async (t) => {
    const { root, outside } = roomFor(t)
    mkdirSync(join(root, 'gone', 'd/'.repeat(300)), { recursive: true })
    mkdirSync(outside)
    writeFileSync(join(outside, 'kept'), '')
    symlinkSync(outside, join(root, 'gone/link'))
    await using top = await Folder.root(root, pinned)
    await removeFolder(top, 'gone')
    await removeFolder(top, 'gone')
    symlinkSync(outside, join(root, 'link'))
    await assert.rejects(removeFolder(top, 'link'), /is a link or a file/)
    assert.deepEqual(readdirSync(root), ['link'])
    assert.deepEqual(readdirSync(outside), ['kept'])
  })
}

test('what a folder that is held by a descriptor opens lies in it, wherever its path leads', {
  skip: !PINNED.includes(true),
}, async (t) => {
  const { root, outside } = roomFor(t)
  mkdirSync(root)
  mkdirSync(join(outside, 'inner'), { recursive: true })
  await using top = await Folder.root(root)
  renameSync(root, `${root}.away`)
  symlinkSync(outside, root)
  await assert.rejects(top.child('inner'), { code: 'ENOENT' })
  await using made = await top.make('made')
  assert.deepEqual(readdirSync(`${root}.away`), ['made'])
  assert.deepEqual(readdirSync(outside), ['inner'])
  assert.equal((await made.stats()).isDirectory(), true)
})
