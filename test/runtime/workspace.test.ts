import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { test } from 'node:test'
import { ToolgateError } from '../../src/errors.ts'
import { GATEWAY } from '../../src/mark.ts'
import { forgetSessions, openWorkspace } from '../../src/runtime/workspace.ts'
import type { LogFields } from '../../src/telemetry/log.ts'
import { absent } from '../harness/services.ts'
import { logInto, openIn, ownedBy, roomFor } from './workspace-given.ts'

const linux = process.platform === 'linux'

test('a tool without a workspace has no folder, and none is made', async (t) => {
  const { root } = roomFor(t)
  const workspace = { access: 'none', per: 'tool' } as const
  const given = { root, tool: 'files', owner: undefined, user: null, log: logInto([]) }
  const opened = await openWorkspace({ ...given, workspace })
  assert.deepEqual([opened.folder, opened.descriptor], [null, null])
  await opened.release()
  assert.equal(existsSync(root), false)
})

test("a tool's folder is made once, for its user alone, and outlives its instances", async (t) => {
  const { root } = roomFor(t)
  const first = await openIn(t, root)
  assert.equal(first.folder, join(root, 'files'))
  assert.equal(statSync(first.folder).mode & 0o777, 0o700)
  writeFileSync(join(first.folder, 'kept'), 'kept')
  await first.release()
  await first.release()
  const second = await openIn(t, root, ownedBy('alice'))
  assert.equal(readFileSync(join(second.folder, 'kept'), 'utf8'), 'kept')
})

test('the descriptor holds the folder, wherever its path leads by then', {
  skip: !linux,
}, async (t) => {
  const { root, outside } = roomFor(t)
  const { folder, descriptor } = await openIn(t, root)
  const held = statSync(folder)
  renameSync(folder, `${folder}.away`)
  mkdirSync(outside)
  symlinkSync(outside, folder)
  assert.equal(statSync(`/proc/self/fd/${descriptor}`).ino, held.ino)
  const flags = /flags:\s+(\d+)/.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, 'utf8'))?.[1]
  assert.equal(Number.parseInt(flags ?? '', 8) & 0o10000000, 0o10000000, 'O_PATH')
})

test('a root that is a link is the root that it leads to', async (t) => {
  const { root, outside } = roomFor(t)
  mkdirSync(outside)
  symlinkSync(outside, root)
  const { folder } = await openIn(t, root)
  assert.equal(folder, join(outside, 'files'))
})

test('a link or a file where a folder belongs is refused, and nothing is made behind it', async (t) => {
  const ways = [
    ['files', 'tool'],
    ['.callers', 'caller'],
    ['.callers/files', 'caller'],
    ['.sessions', 'session'],
    ['.sessions/files', 'session'],
  ] as const
  const kinds = ['a link', 'a link to nowhere', 'a link inside', 'a file'] as const
  for (const [place, per] of ways) {
    for (const kind of kinds) {
      const { root, outside } = roomFor(t)
      const path = join(root, place)
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
      mkdirSync(join(root, 'neighbour'), { mode: 0o700 })
      if (kind === 'a link') mkdirSync(outside)
      if (kind === 'a file') writeFileSync(path, '')
      else symlinkSync(kind === 'a link inside' ? join(root, 'neighbour') : outside, path)
      const lines: LogFields[] = []
      const opening = openIn(t, root, { ...ownedBy('alice'), log: logInto(lines) }, per)
      await assert.rejects(opening, (error) => {
        assert.ok(error instanceof ToolgateError)
        assert.equal(error.code, 'tool_failed_to_start')
        assert.equal(error.message.includes(dirname(root)), false)
        return true
      })
      assert.match(String(lines[0]?.why), /is a link or a file, and must be a folder/)
      assert.ok(String(lines[0]?.why).includes(path), 'the log says which')
      if (kind === 'a link') assert.deepEqual(readdirSync(outside), [])
      else assert.equal(existsSync(outside), false)
      assert.deepEqual(readdirSync(join(root, 'neighbour')), [])
    }
  }
})

test("a caller's folder that was replaced by a link to another's is refused", async (t) => {
  const { root } = roomFor(t)
  const alice = await openIn(t, root, ownedBy('alice'), 'caller')
  const bob = await openIn(t, root, ownedBy('bob'), 'caller')
  renameSync(bob.folder, `${bob.folder}.away`)
  symlinkSync(alice.folder, bob.folder)
  await assert.rejects(openIn(t, root, ownedBy('bob'), 'caller'), ToolgateError)
})

test('folders of callers are refused where others may write to what they lie in', async (t) => {
  for (const [place, per] of [
    ['.callers', 'caller'],
    ['.sessions', 'session'],
  ] as const) {
    const { root } = roomFor(t)
    const lines: LogFields[] = []
    const opened = await openIn(t, root, ownedBy('alice'), per)
    const shared = join(root, place)
    chmodSync(shared, 0o770)
    const again = openIn(t, root, { ...ownedBy('alice'), log: logInto(lines) }, per)
    await assert.rejects(again, { code: 'tool_failed_to_start' })
    assert.match(String(lines[0]?.why), /may be written to by others/)
    chmodSync(shared, 0o700)
    await opened.release()
  }
})

test('two callers never share a folder, and one has the same again, whatever their ids', async (t) => {
  const { root, outside } = roomFor(t)
  mkdirSync(outside)
  const ids = [
    ...['..', '.', '', '/', 'a/b', 'a\\b', '../../outside', '/etc', 'a\0b', 'a', 'A', ' a', 'a '],
    ...['%2e%2e', '~', '$HOME', 'con', '-rf', '.callers', 'files', '"a"', 'x'.repeat(100_000)],
    ...['\u00e9', 'e\u0301', '\u202ea', '🦉', '\ud800', '\ud801', '\ufffd', '"\\ud800"'],
  ]
  const folders = new Map<string, string>()
  for (const id of ids) {
    const { folder } = await openIn(t, root, ownedBy(id), 'caller')
    const below = relative(join(root, '.callers/files'), folder)
    assert.match(below, /^[A-Za-z0-9_-]{32}$/, JSON.stringify(id.slice(0, 20)))
    folders.set(id, folder)
    const again = await openIn(t, root, ownedBy(id), 'caller')
    assert.equal(again.folder, folder)
  }
  assert.equal(new Set(folders.values()).size, ids.length)
  const other = await openIn(t, root, { ...ownedBy('a'), tool: 'notes' }, 'caller')
  assert.equal([...folders.values()].includes(other.folder), false)
  assert.deepEqual(readdirSync(outside), [])
})

test('no folder lies in one that a tool may write to', async (t) => {
  const { root } = roomFor(t)
  const opened = [
    await openIn(t, root),
    await openIn(t, root, ownedBy('alice'), 'caller'),
    await openIn(t, root, ownedBy('alice'), 'session'),
    await openIn(t, root, { tool: 'other' }),
  ]
  for (const { folder } of opened) {
    for (const other of opened) {
      assert.equal(other.folder.startsWith(`${folder}/`), false, `${other.folder} in ${folder}`)
    }
  }
})

test('anonymous callers, and nobody, share no folder', async (t) => {
  const { root } = roomFor(t)
  const opened = [
    await openIn(t, root, ownedBy(null), 'caller'),
    await openIn(t, root, ownedBy(null), 'caller'),
    await openIn(t, root, {}, 'caller'),
  ]
  assert.equal(new Set(opened.map(({ folder }) => folder)).size, 3)
  for (const { folder, release } of opened) {
    assert.equal(dirname(folder), join(root, '.sessions/files'))
    await release()
    assert.equal(existsSync(folder), false)
  }
})

test("a session's folder is empty at first and is removed with it, whatever is in it", async (t) => {
  const { root, outside } = roomFor(t)
  mkdirSync(outside)
  writeFileSync(join(outside, 'kept'), 'kept')
  const { folder, release } = await openIn(t, root, ownedBy('alice'), 'session')
  const { folder: neighbour } = await openIn(t, root, ownedBy('alice'), 'session')
  assert.deepEqual(readdirSync(folder), [])
  // 1,000 folders deep, which is more than descriptors would be held for.
  mkdirSync(join(folder, 'd/'.repeat(1_000)), { recursive: true })
  writeFileSync(join(folder, 'd/'.repeat(1_000), 'f'), 'x')
  for (let file = 0; file < 100; file += 1) writeFileSync(join(folder, `f${file}`), 'x')
  writeFileSync(Buffer.concat([Buffer.from(`${folder}/`), Buffer.from([0xff, 0xfe, 0x0a])]), 'x')
  symlinkSync(outside, join(folder, 'link'))
  symlinkSync(join(outside, 'kept'), join(folder, 'to-file'))
  mkdirSync(join(folder, 'locked'))
  writeFileSync(join(folder, 'locked/f'), 'x')
  chmodSync(join(folder, 'locked'), 0)
  chmodSync(folder, 0)
  await release()
  assert.equal(existsSync(folder), false)
  assert.equal(readFileSync(join(outside, 'kept'), 'utf8'), 'kept')
  assert.ok(existsSync(neighbour))
})

test('what a dead gateway left of its sessions is removed, and no more', async (t) => {
  const { root, outside } = roomFor(t)
  await forgetSessions(root, new Set(['0123456789abcdef']))
  assert.equal(existsSync(root), false)
  mkdirSync(outside)
  writeFileSync(join(outside, 'kept'), 'kept')
  const alive = await openIn(t, root, ownedBy('alice'), 'session')
  const caller = await openIn(t, root, ownedBy('alice'), 'caller')
  const sessions = join(root, '.sessions')
  for (const name of ['0123456789abcdef.a', '0123456789abcdef.b', 'fedcba9876543210.a']) {
    mkdirSync(join(sessions, 'files', name, 'deep'), { recursive: true })
    mkdirSync(join(sessions, 'notes', name), { recursive: true })
  }
  symlinkSync(outside, join(sessions, 'files', '0123456789abcdef.a', 'link'))
  symlinkSync(outside, join(sessions, '0123456789abcdef.link'))
  symlinkSync(outside, join(sessions, 'notes', '0123456789abcdef.link'))
  await assert.rejects(forgetSessions(root, new Set(['0123456789abcdef'])), AggregateError)
  assert.ok(basenamesIn(join(sessions, 'files')).every((name) => !name.startsWith('0123')))
  assert.deepEqual(basenamesIn(join(sessions, 'notes')), [
    '0123456789abcdef.link',
    'fedcba9876543210.a',
  ])
  assert.ok(alive.folder.includes(GATEWAY) && existsSync(alive.folder) && existsSync(caller.folder))
  assert.deepEqual(readdirSync(outside), ['kept'])
})

function basenamesIn(folder: string): string[] {
  return readdirSync(folder).sort()
}

test('while a folder and a link take turns, what is opened is never outside', {
  skip: !linux,
}, async (t) => {
  for (const [place, per] of [
    ['files', 'tool'],
    ['.callers', 'caller'],
  ] as const) {
    const { root, outside } = roomFor(t)
    mkdirSync(root, { mode: 0o700 })
    mkdirSync(outside, { mode: 0o755 })
    const secret = statSync(outside)
    const swaps = join(import.meta.dirname, '../fixtures/swaps-links.mjs')
    const child = spawn(process.execPath, [swaps, join(root, place), outside], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    t.after(() => child.kill('SIGKILL'))
    await once(child.stdout, 'data')
    const user = process.getuid?.() === 0 ? { uid: 2_000_000, gid: 2_000_000 } : null
    const seen = { opened: 0, refused: 0 }
    for (let round = 0; round < 600; round += 1) {
      try {
        const opened = await openIn(t, root, { user, ...ownedBy('alice') }, per)
        const path = readlinkSync(`/proc/self/fd/${opened.descriptor}`)
        assert.ok(path.startsWith(`${root}/`), path)
        await opened.release()
        seen.opened += 1
      } catch (error) {
        assert.ok(error instanceof ToolgateError, String(error))
        seen.refused += 1
      }
    }
    child.kill('SIGKILL')
    await once(child, 'close')
    t.diagnostic(`${place}: ${JSON.stringify(seen)}`)
    assert.ok(seen.opened > 10 && seen.refused > 10, JSON.stringify(seen))
    assert.deepEqual(readdirSync(outside), [])
    const { uid, mode } = statSync(outside)
    assert.deepEqual({ uid, mode }, { uid: secret.uid, mode: secret.mode })
  }
})

const asRoot = process.getuid?.() === 0 ? absent('setpriv') : 'only root can become another user'

test('all of this holds for a gateway that is not root', { skip: asRoot }, (t) => {
  const nobody = ['--reuid', '65534', '--regid', '65534', '--clear-groups', '--']
  const run = (...command: string[]) =>
    spawnSync('setpriv', [...nobody, ...command], {
      cwd: '/',
      encoding: 'utf8',
      // Node would hand its coverage folder on, which nobody may write to.
      env: { PATH: process.env.PATH, TMPDIR: '/tmp', NODE_V8_COVERAGE: undefined },
    })
  const file = import.meta.filename
  const seen = run(process.execPath, '--input-type=module', '-e', `import ${JSON.stringify(file)}`)
  if (/EACCES|permission denied/.test(seen.stderr))
    return t.skip('nobody cannot read this checkout')
  const { status, stdout } = run(process.execPath, '--test', '--test-reporter=tap', file)
  assert.equal(status, 0, stdout)
  assert.match(stdout, /^# pass 1\d$/m)
})
