import assert from 'node:assert/strict'
import {
  linkSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  unlinkSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { after, test } from 'node:test'
import { grantFiles, refusedFiles } from '../../../src/runtime/cell/grants.ts'
import { lookKept } from '../../../src/runtime/cell/kept.ts'

const root = realpathSync(mkdtempSync(join(tmpdir(), 'toolgate-grants-')))
after(() => rmSync(root, { recursive: true, force: true }))
const at = (...names: string[]) => join(root, ...names)
for (const name of ['workspace/other', 'cache', 'tools.d', 'data/sub', 'other', 'run', 'home']) {
  mkdirSync(at(name), { recursive: true })
}
const socket = at('run', 'engine.sock')
const server = createServer().listen(socket)
after(() => server.close())
symlinkSync(at('workspace', 'other'), at('data', 'link'))
symlinkSync(socket, at('data', 'socket'))
linkSync(socket, at('other', 'hard'))
mkdirSync(at('home', '.docker', 'run'), { recursive: true })
mkdirSync(at('user', 'podman'), { recursive: true })

const config = {
  workspace: at('workspace'),
  cache: at('cache'),
  tools: at('tools.d'),
  engine: { socket },
  environment: { HOME: at('home'), XDG_RUNTIME_DIR: at('user') },
}
const refused = (read: string[], write: string[] = [], by = config) =>
  refusedFiles({ files: { read, write } }, by)

test('a folder of the machine that holds nothing of the gateway’s is given', async () => {
  assert.deepEqual(await refused([at('data'), '/etc/hostname'], [at('data')]), [])
})

for (const [what, path] of [
  ['the workspace', at('workspace')],
  ['another tool’s folder', at('workspace', 'other')],
  ['a link to it', at('data', 'link')],
  ['what holds the workspace', root],
  ['everything', '/'],
  ['the cache', at('cache')],
  ['the engine’s socket', socket],
  ['a link to that', at('data', 'socket')],
  ['a hard link to it', at('other', 'hard')],
  ['the folder it lies in', at('run')],
  ['where Docker listens in a home', at('home', '.docker', 'run')],
  ['where Podman listens without root', at('user', 'podman')],
  ['the folder of that', at('user')],
  ['the kernel’s files', '/proc/self'],
  ['devices', '/dev/null'],
] as const) {
  test(`${what} is given to no tool, not even to be read`, async () => {
    const [refusal] = await refused([path])
    assert.match(refusal ?? '', /^policy\.files\.read\[0\] is, holds or lies in /)
    const [written] = await refused([], [at('data'), path])
    assert.match(written ?? '', /^policy\.files\.write\[1\] is, holds or lies in /)
  })
}

test('the folder of tools can be read, and not be written', async () => {
  assert.deepEqual(await refused([at('tools.d')]), [])
  assert.equal((await refused([], [at('tools.d')])).length, 1)
})

test('what is not there is told by its place in the file', async () => {
  assert.deepEqual(await refused([at('nowhere')]), ['policy.files.read[0] is not there'])
})

const own = resolve(import.meta.dirname, '../../..')
/** What holds the code may hold this test's folder, too. */
const elsewhere = {
  ...config,
  workspace: '/nowhere/workspace',
  cache: '/nowhere/cache',
  tools: '/nowhere/tools.d',
  engine: { socket: '/nowhere/engine.sock' },
  environment: { HOME: '/nowhere/home', XDG_RUNTIME_DIR: '/nowhere/run' },
}
for (const [what, path] of [
  ['its folder', own],
  ['what holds that', dirname(own)],
  ['its source', join(own, 'src')],
  ['a file of it', join(own, 'src', 'main.js')],
  ['its packages', join(own, 'node_modules')],
  ['its configuration', join(own, 'config')],
] as const) {
  test(`of the gateway’s own code ${what} can be read at most`, async () => {
    assert.deepEqual(await refused([path], [], elsewhere), [])
    const [refusal] = await refused([], [path], elsewhere)
    assert.match(refusal ?? '', /^policy\.files\.write\[0\] is, holds or lies in the gateway’s own/)
  })
}

symlinkSync(at('data', 'sub'), at('other', 'into'))
symlinkSync(at('other'), at('data', 'out'))
symlinkSync(at('data'), at('other', 'data'))
mkdirSync(at('other', 'file'))

for (const [what, path] of [
  ['lies below', at('data', 'sub')],
  ['leads below', at('other', 'into')],
  ['is a link below', at('data', 'out')],
  ['leads through a link below', at('data', 'out', 'file')],
  ['leads there and out again', at('other', 'data', 'out', 'file')],
] as const) {
  test(`what ${what} a folder that the same tool may write to is not given`, async () => {
    const why = 'lies below policy.files.write[0], which the tool may change'
    assert.deepEqual(await refused([path], [at('data')]), [`policy.files.read[0] ${why}`])
    assert.deepEqual(await refused([], [at('data'), path]), [`policy.files.write[1] ${why}`])
    assert.deepEqual(await refused([at('data'), path]), [])
  })
}

test('what was checked is mounted, wherever its path leads by then', async () => {
  const link = at('moving')
  symlinkSync(at('data'), link)
  const { mounts, refusals } = await grantFiles(
    { files: { read: [], write: [link] } },
    lookKept(config),
  )
  unlinkSync(link)
  symlinkSync(at('workspace'), link)
  assert.deepEqual(refusals, [])
  assert.deepEqual(mounts, [{ kind: 'read-write', source: at('data'), target: link }])
})

test('links that lead in a circle lead nowhere', async () => {
  symlinkSync(at('circle'), at('circle'))
  assert.deepEqual(await refused([at('circle')]), ['policy.files.read[0] is not there'])
})
