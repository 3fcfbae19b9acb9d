import assert from 'node:assert/strict'
import { linkSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { refusedFiles } from '../../../src/runtime/cell/grants.ts'
import type { Engine } from '../../../src/runtime/container/engine.ts'
import { mountsOf } from '../../../src/runtime/container/mounts.ts'
import { enginePlaces } from '../../../src/runtime/container/sockets.ts'

const root = realpathSync(mkdtempSync(join(tmpdir(), 'toolgate-mounts-')))
after(() => rmSync(root, { recursive: true, force: true }))
const at = (...names: string[]) => join(root, ...names)
for (const name of ['data', 'names', 'run', 'home/.docker/run', 'user/podman']) {
  mkdirSync(at(name), { recursive: true })
}
const socket = at('run', 'engine.sock')
const server = createServer().listen(socket)
after(() => server.close())
linkSync(socket, at('names', 'hard'))
symlinkSync(at('data'), at('names', 'data'))
symlinkSync(socket, at('names', 'soft'))

const environment = { HOME: at('home'), XDG_RUNTIME_DIR: at('user') }
const engine = { socket, facts: { api: 44 } } as Engine
const policyOf = (...read: string[]) => ({
  workspace: { access: 'none', per: 'tool' } as const,
  files: { read, write: [] },
})

for (const [what, path] of [
  ['the socket of the engine', socket],
  ['a link to it', at('names', 'soft')],
  ['a hard link to it', at('names', 'hard')],
  ['what holds it', at('run')],
  ['a place of another engine', at('home', '.docker', 'run')],
  ['what holds one', at('user')],
] as const) {
  test(`${what} is mounted in no container, and given to no cell`, async () => {
    const refused = /is or holds the socket of a container engine, which is never mounted/
    await assert.rejects(mountsOf(policyOf(path), null, engine, environment), refused)
    const mount = { kind: 'read-only', source: path, target: '/innocent' } as const
    await assert.rejects(mountsOf(policyOf(), null, engine, environment, [mount]), refused)
    await assert.rejects(mountsOf(policyOf(), path, engine, environment), refused)
    const config = {
      workspace: at('workspace'),
      cache: at('cache'),
      tools: at('tools.d'),
      engine: { socket },
      environment,
    }
    assert.match(String(await refusedFiles(policyOf(path), config)), /container engine’s socket/)
  })
}

test('what a link led to when it was checked is mounted, where its path is written', async () => {
  const target = at('names', 'data')
  const [followed] = await mountsOf(policyOf(target), null, engine, environment)
  assert.deepEqual([followed?.Source, followed?.Target], [at('data'), target])
  const granted = { kind: 'read-write', source: at('data'), target } as const
  // Not looked for again: it may be another by now.
  const mounts = await mountsOf(policyOf(at('gone')), null, engine, environment, [granted])
  assert.deepEqual(
    mounts.map(({ Source, Target, ReadOnly }) => [Source, Target, ReadOnly]),
    [[at('data'), target, false]],
  )
})

test('engines that are not there yet are kept from tools as well', async () => {
  const paths = (await enginePlaces({ engine: { socket: null }, environment: {} })).map(
    ({ path }) => path,
  )
  for (const path of ['/run/docker', '/run/containerd', '/run/podman', '/run/crio']) {
    assert.ok(paths.includes(path), path)
  }
  assert.ok(paths.every((path) => path.startsWith('/') && path !== '/'))
})
