import assert from 'node:assert/strict'
import { test } from 'node:test'
import { folderUser, refusedUser, userIn } from '../../../src/runtime/container/user.ts'

const own = { uid: 2_000_007, gid: 2_000_007 }
const cells = {
  memory: 1,
  processes: 1,
  tmp: 1,
  disk: 1,
  users: { first: 2_000_000, last: 2_000_009 },
}

const container = { readOnly: true, capAdd: [], capDrop: [], securityOpt: [], tmpfs: [] }

function user(
  image: string,
  more: { own?: typeof own | null; rootless?: boolean; folder?: boolean; file?: string } = {},
): string {
  const facts = {
    api: 41,
    rootless: more.rootless ?? false,
    cgroup: 1 as const,
    groups: true,
    bounds: { memory: true, swap: true, cpus: true, processes: true },
    seccomp: true,
    podman: false,
    elsewhere: false,
  }
  const access = more.folder === true ? ('read-only' as const) : ('none' as const)
  const policy = {
    workspace: { access, per: 'tool' as const },
    container: { ...container, user: more.file ?? null },
  }
  const { own: whose = own } = more
  return userIn(policy, { own: whose, facts, image: { user: image }, cells })
}

test('nobody is root but by the word of a file', () => {
  for (const root of ['', 'root', '0', '0:0', 'root:root', '00', '0:1000']) {
    assert.equal(user(root), '2000007:2000007', root)
    assert.equal(user(root, { own: null }), '2000000:2000000', root)
  }
  assert.equal(user('', { file: '0' }), '0')
  assert.equal(user('app', { file: '1000:1000' }), '1000:1000')
})

test('the user of the image is kept, unless there is a folder, which is the tool’s', () => {
  assert.equal(user('app'), 'app')
  assert.equal(user('1000:1000'), '1000:1000')
  assert.equal(user('app', { folder: true }), '2000007:2000007')
})

test('a rootless engine has few users, and its root owns the folder', () => {
  assert.equal(user('', { rootless: true, own: null }), '65534:65534')
  assert.equal(user('', { rootless: true, own: null, folder: true }), '0:0')
})

test('a folder is given to whom the file names, where that is a number', () => {
  const folder = (name: string | null, whose: typeof own | null = own) =>
    folderUser({ container: { ...container, user: name } }, whose)
  assert.deepEqual(folder(null), own)
  assert.deepEqual(folder('1000'), { uid: 1000, gid: 1000 })
  assert.deepEqual(folder('1000:50'), { uid: 1000, gid: 50 })
  assert.equal(folder('0:0'), null)
  assert.deepEqual(folder('app'), own)
  assert.equal(folder('1000', null), null)
})

test('a name is no user that a folder could be given to, and is refused with one', () => {
  const refused = (name: string | null, access: 'none' | 'read-only' | 'read-write') =>
    refusedUser({
      workspace: { access, per: 'tool' },
      container: { ...container, user: name },
    })
  for (const name of ['node', 'root', 'node:node', '1000:node', 'node:1000', '1000 ']) {
    assert.match(refused(name, 'read-write') ?? '', /names .*; say them .* user: '1000:1000'/, name)
    assert.match(refused(name, 'read-only') ?? '', /only be given to numbers/, name)
    assert.equal(refused(name, 'none'), undefined, name)
  }
  for (const fine of [null, '0', '1000', '1000:50']) {
    assert.equal(refused(fine, 'read-write'), undefined, String(fine))
  }
})
