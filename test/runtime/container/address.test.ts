import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { ToolgateError } from '../../../src/errors.ts'
import { engineAddress } from '../../../src/runtime/container/address.ts'

const find = (socket: string | null, environment: Readonly<Record<string, string>>) =>
  engineAddress({ engine: { socket }, environment })

test('the configuration goes before DOCKER_HOST, and that before the usual places', (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'toolgate-runtime-'))
  t.after(() => rmSync(dir, { recursive: true }))
  mkdirSync(join(dir, 'podman'))
  const podman = join(dir, 'podman/podman.sock')
  writeFileSync(podman, '')
  const rootless = { XDG_RUNTIME_DIR: dir }
  const named = { ...rootless, DOCKER_HOST: 'unix:///srv/engine.sock' }
  assert.deepEqual(find('/own.sock', named), { socket: '/own.sock' })
  assert.deepEqual(find(null, named), { socket: '/srv/engine.sock' })
  writeFileSync(join(dir, 'docker.sock'), '')
  const usual = find(null, rootless) as { socket: string }
  assert.ok(['/var/run/docker.sock', join(dir, 'docker.sock')].includes(usual.socket))
  assert.deepEqual(find(null, { DOCKER_HOST: 'tcp://10.0.0.5:2375' }), {
    host: '10.0.0.5',
    port: 2375,
  })
  assert.deepEqual(find(null, { DOCKER_HOST: 'tcp://[::1]:2375' }), { host: '::1', port: 2375 })
})

test('what cannot be reached is refused with the ways out', () => {
  for (const host of ['ssh://me@there', 'npipe:////./pipe/docker', 'here']) {
    assert.throws(() => find(null, { DOCKER_HOST: host }), refusedWith(/DOCKER_HOST is neither/))
  }
  const tls = { DOCKER_HOST: 'tcp://10.0.0.5:2376', DOCKER_TLS_VERIFY: '1' }
  assert.throws(() => find(null, tls), refusedWith(/TLS/))
})

function refusedWith(why: RegExp) {
  return (error: unknown) => {
    assert.ok(error instanceof ToolgateError)
    assert.equal(error.code, 'no_cell')
    assert.match(error.message, why)
    assert.match(error.message, /engine\.socket or DOCKER_HOST/)
    return true
  }
}
