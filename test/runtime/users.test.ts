import assert from 'node:assert/strict'
import { execFile, execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { userOf } from '../../src/runtime/users.ts'
import { absent } from '../harness/services.ts'
import { roomFor } from './workspace-given.ts'

type Claimed = Record<string, { uid: number; gid: number; code?: string; message?: string } | null>

const CHILD = join(import.meta.dirname, 'claims-users.ts')
const skip = process.getuid?.() === 0 ? false : 'only root has users to give'
const TOOLS = Array.from({ length: 50 }, (_, index) => `tool-${index}`)

/** The users of `tools` in a process of its own, behind `prefix`. */
async function claims(
  root: string,
  tools: readonly string[],
  [first, last] = [2_000_000, 2_009_999],
  prefix: readonly string[] = [],
): Promise<Claimed> {
  const node = [process.execPath, CHILD, root, String(first), String(last), ...tools]
  const [program = '', ...args] = [...prefix, ...node]
  const { stdout } = await promisify(execFile)(program, args, { cwd: '/' })
  return JSON.parse(stdout)
}

test('two gateways that claim users at once give no user to two tools, and one to each', {
  skip,
}, async (t) => {
  const { root } = roomFor(t)
  const backwards = [...TOOLS].reverse()
  const others = TOOLS.map((name) => `other-${name}`)
  const [one, two, three] = await Promise.all([
    claims(root, TOOLS),
    claims(root, [...backwards, ...others]),
    claims(root, [...others, ...TOOLS]),
  ])
  const all = { ...one, ...two, ...three }
  for (const [tool, user] of Object.entries(all)) {
    assert.ok(user !== null && user.code === undefined, JSON.stringify(user))
    assert.equal(user.gid, user.uid)
    for (const seen of [one, two, three]) assert.deepEqual(seen[tool] ?? user, user, tool)
  }
  const uids = Object.values(all).map((user) => user?.uid ?? 0)
  assert.equal(new Set(uids).size, 100)
  assert.deepEqual([Math.min(...uids), Math.max(...uids)], [2_000_000, 2_000_099])
  const files = readdirSync(join(root, '.users'))
  assert.equal(files.length, 100, 'no draft is left')
  for (const [tool, user] of Object.entries(all)) {
    assert.equal(readFileSync(join(root, '.users', String(user?.uid)), 'utf8'), tool)
  }
  assert.equal(statSync(join(root, '.users')).mode & 0o777, 0o700)
  assert.deepEqual(await claims(root, [...others, ...TOOLS]), all, 'the same after a restart')
})

test('a tool has one user in a process, however often it is asked for', { skip }, async (t) => {
  const { root } = roomFor(t)
  const config = configOf(root, 3000, 3001)
  const users = await Promise.all(Array.from({ length: 20 }, () => userOf('files', config)))
  assert.deepEqual(new Set(users.map((user) => user?.uid)), new Set([3000]))
  assert.deepEqual(await userOf('notes', config), { uid: 3001, gid: 3001 })
})

test('where every user is taken the tool does not start, and those who have one do', {
  skip,
}, async (t) => {
  const { root } = roomFor(t)
  const config = configOf(root, 3000, 3001)
  await userOf('a', config)
  await userOf('b', config)
  await assert.rejects(userOf('c', config), (error: { code: string; message: string }) => {
    assert.equal(error.code, 'no_cell')
    assert.match(error.message, /cells\.users belongs to another tool; give it more of them/)
    assert.equal(error.message.includes(root), false)
    return true
  })
  assert.equal((await userOf('a', config))?.uid, 3000)
  assert.equal((await userOf('c', configOf(root, 3000, 3002)))?.uid, 3002)
})

test('a user that is no longer among those of the configuration is not used', {
  skip,
}, async (t) => {
  const { root } = roomFor(t)
  await claims(root, ['files'], [3000, 3001])
  const { files } = await claims(root, ['files'], [4000, 4001])
  assert.equal(files?.code, 'no_cell')
  assert.match(files?.message ?? '', /its user 3000 is not among cells\.users/)
  assert.deepEqual(readdirSync(join(root, '.users')), ['3000'])
})

test('what is no claim takes its user from everybody', { skip }, async (t) => {
  const { root, outside } = roomFor(t)
  const users = join(root, '.users')
  mkdirSync(users, { recursive: true, mode: 0o700 })
  writeFileSync(outside, 'files')
  writeFileSync(join(users, '3000'), '')
  symlinkSync(outside, join(users, '3001'))
  mkdirSync(join(users, '3002'))
  execFileSync('mkfifo', [join(users, '3003')])
  writeFileSync(join(users, '3004'), 'files'.repeat(1_000))
  for (const name of ['03005', '3005.bak', 'files']) writeFileSync(join(users, name), 'files')
  const { files } = await claims(root, ['files'], [3000, 3010])
  assert.equal(files?.uid, 3005)
})

test('claims that others could write are not believed', { skip }, async (t) => {
  const { root, outside } = roomFor(t)
  mkdirSync(join(root, '.users'), { recursive: true })
  chmodSync(join(root, '.users'), 0o777)
  assert.equal((await claims(root, ['files'])).files?.code, 'no_cell')
  const { root: other } = roomFor(t)
  mkdirSync(other)
  mkdirSync(outside)
  symlinkSync(outside, join(other, '.users'))
  await assert.rejects(userOf('files', configOf(other, 3000, 3001)))
  assert.deepEqual(readdirSync(outside), [])
})

test('a user that this container does not have is refused before it is claimed', {
  skip: skip || absent('unshare'),
}, async (t) => {
  const { root } = roomFor(t)
  mkdirSync(root)
  const inside = ['unshare', '--user', '--map-root-user']
  const { files } = await claims(root, ['files'], [2_000_000, 2_000_001], inside)
  assert.equal(files?.code, 'no_cell')
  assert.match(files?.message ?? '', /user 2000000 of cells\.users does not exist here/)
  assert.deepEqual(readdirSync(join(root, '.users')), [])
})

test('a gateway that is not root has no users to give', {
  skip: process.getuid?.() === 0 ? absent('setpriv') : false,
}, async (t) => {
  const { root } = roomFor(t)
  const nobody = ['setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups', '--']
  const found = await claims(root, ['files'], undefined, process.getuid?.() === 0 ? nobody : [])
  assert.deepEqual(found, { files: null })
  assert.equal(existsSync(root), false)
})

function configOf(workspace: string, first: number, last: number) {
  return { workspace, cells: { memory: 1, processes: 1, tmp: 1, disk: 1, users: { first, last } } }
}
