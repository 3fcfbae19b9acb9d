import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { refusedFiles } from '../../../src/runtime/cell/grants.ts'

const root = mkdtempSync(join(tmpdir(), 'toolgate-grants-'))
after(() => rmSync(root, { recursive: true, force: true }))
const at = (...names: string[]) => join(root, ...names)
for (const name of ['workspace/other', 'cache', 'tools.d', 'data', 'run']) {
  mkdirSync(at(name), { recursive: true })
}
const socket = at('run', 'engine.sock')
const server = createServer().listen(socket)
after(() => server.close())
symlinkSync(at('workspace', 'other'), at('data', 'link'))
symlinkSync(socket, at('data', 'socket'))

const config = {
  workspace: at('workspace'),
  cache: at('cache'),
  tools: at('tools.d'),
  engine: { socket },
  environment: {},
}
const refused = (read: string[], write: string[] = []) =>
  refusedFiles({ files: { read, write } }, config)

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
  ['the folder it lies in', at('run')],
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
