import assert from 'node:assert/strict'
import {
  chmodSync,
  chownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { LogFields } from '../../src/telemetry/log.ts'
import { logInto, openIn, ownedBy, roomFor } from './workspace-given.ts'

const skip = process.getuid?.() === 0 ? false : 'only root gives folders to users'
const USER = { uid: 2_000_007, gid: 2_000_007 }

test('under root a folder belongs to the user of its tool, and what it lies in to root', {
  skip,
}, async (t) => {
  const { root } = roomFor(t)
  for (const per of ['tool', 'caller', 'session'] as const) {
    const { folder } = await openIn(t, root, { user: USER, ...ownedBy('alice') }, per)
    const { uid, gid, mode } = statSync(folder)
    assert.deepEqual({ uid, gid, mode: mode & 0o777 }, { ...USER, mode: 0o700 })
  }
  for (const path of ['.', '.callers', '.callers/files', '.sessions', '.sessions/files']) {
    assert.equal(statSync(join(root, path)).uid, 0, path)
  }
})

test("what is in root's folder goes with it; links, second names and strangers' files do not", {
  skip,
}, async (t) => {
  const { root, outside } = roomFor(t)
  mkdirSync(join(outside, 'sub'), { recursive: true })
  for (const name of ['linked', 'sub/deep', 'second']) writeFileSync(join(outside, name), '')
  const folder = join(root, 'files')
  mkdirSync(join(folder, 'sub/sub'), { recursive: true })
  for (const name of ['file', 'sub/sub/file', 'theirs']) writeFileSync(join(folder, name), '')
  chownSync(join(folder, 'theirs'), 1234, 1234)
  chmodSync(join(folder, 'file'), 0o4755)
  symlinkSync(join(outside, 'linked'), join(folder, 'sub/link'))
  symlinkSync(outside, join(folder, 'sub/to-folder'))
  symlinkSync('/nowhere', join(folder, 'dangling'))
  linkSync(join(outside, 'second'), join(folder, 'sub/second'))

  await openIn(t, root, { user: USER })
  const given = ['.', 'file', 'sub', 'sub/sub', 'sub/sub/file']
  for (const name of given) assert.equal(lstatSync(join(folder, name)).uid, USER.uid, name)
  assert.equal(statSync(join(folder, 'file')).mode & 0o7000, 0)
  assert.equal(statSync(join(folder, 'theirs')).uid, 1234)
  assert.equal(statSync(join(folder, 'sub/second')).uid, 0)
  for (const name of ['.', 'linked', 'sub', 'sub/deep', 'second']) {
    assert.equal(statSync(join(outside, name)).uid, 0, name)
  }
})

test('a folder that is given stays as its owner has it', { skip }, async (t) => {
  const { root } = roomFor(t)
  const { folder } = await openIn(t, root, { user: USER })
  chmodSync(folder, 0o750)
  writeFileSync(join(folder, 'put-there'), '')
  await openIn(t, root, { user: USER })
  assert.equal(statSync(folder).mode & 0o777, 0o750)
  assert.equal(statSync(join(folder, 'put-there')).uid, 0)
})

test("a stranger's folder is refused, and stays the stranger's", { skip }, async (t) => {
  for (const [place, per] of [
    ['files', 'tool'],
    ['.callers', 'caller'],
    ['.callers/files', 'caller'],
    ['.sessions/files', 'session'],
  ] as const) {
    const { root } = roomFor(t)
    const lines: LogFields[] = []
    mkdirSync(join(root, place), { recursive: true, mode: 0o700 })
    chownSync(join(root, place), 2_000_008, 2_000_008)
    for (const user of [USER, null]) {
      const opening = openIn(t, root, { user, ...ownedBy('a'), log: logInto(lines) }, per)
      await assert.rejects(opening, { code: 'tool_failed_to_start' })
    }
    assert.ok(
      lines.every(({ why }) => String(why).includes(join(root, place))),
      place,
    )
    assert.equal(statSync(join(root, place)).uid, 2_000_008)
  }
})

test("whoever has the root may have made the tool's folder in it", { skip }, async (t) => {
  const { root } = roomFor(t)
  mkdirSync(join(root, 'files/sub'), { recursive: true })
  for (const path of ['.', 'files', 'files/sub']) chownSync(join(root, path), 1234, 1234)
  const { folder } = await openIn(t, root, { user: USER })
  for (const name of ['.', 'sub']) assert.equal(statSync(join(folder, name)).uid, USER.uid, name)
  assert.equal(statSync(root).uid, 1234)
})

test("a tool that is taken out of its cell still has its user's folder, and no other's", {
  skip,
}, async (t) => {
  const { root } = roomFor(t)
  await openIn(t, root, { user: USER })
  mkdirSync(join(root, '.users'), { mode: 0o700 })
  writeFileSync(join(root, '.users', String(USER.uid)), 'other')
  await assert.rejects(openIn(t, root), { code: 'tool_failed_to_start' })
  writeFileSync(join(root, '.users', String(USER.uid)), 'files')
  await openIn(t, root)
})

test('a root of the system is no workspace', { skip }, async (t) => {
  const { dev, ino, uid, mode } = statSync('/usr/lib')
  const opening = openIn(t, '/usr', { tool: 'lib', user: USER })
  await assert.rejects(opening, { code: 'tool_failed_to_start' })
  const { outside } = roomFor(t)
  symlinkSync('/usr', outside)
  await assert.rejects(openIn(t, outside, { tool: 'lib' }), { code: 'tool_failed_to_start' })
  const now = statSync('/usr/lib')
  assert.deepEqual([now.dev, now.ino, now.uid, now.mode], [dev, ino, uid, mode])
})
