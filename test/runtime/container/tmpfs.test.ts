import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tmpfsOf } from '../../../src/runtime/container/tmpfs.ts'

const memory = { size: 64, podman: false }
const named = (...tmpfs: string[]) => ({ tmpfs, readOnly: true })

test('what an entry does not say is the strict way', () => {
  assert.deepEqual(tmpfsOf(named('/run', '/cache:exec,size=128m,mode=700'), ['/data'], memory), {
    '/tmp': 'rw,nosuid,nodev,noexec,size=64,mode=1777',
    '/data': 'rw,nosuid,nodev,noexec,size=64,mode=1777',
    '/run': 'rw,nosuid,nodev,noexec,size=64,mode=1777',
    '/cache': 'rw,nosuid,nodev,exec,size=128m,mode=700',
  })
})

test('the file has the last word on /tmp', () => {
  assert.deepEqual(tmpfsOf(named('/tmp:ro,suid,dev,noexec'), [], memory), {
    '/tmp': 'size=64,mode=1777,ro,suid,dev,noexec',
  })
})

test('they belong to whom the container runs as, where that is a number', () => {
  const owned = (user: string) => tmpfsOf(named(), [], { ...memory, user })['/tmp']
  assert.match(String(owned('7:8')), /,uid=7,gid=8$/)
  assert.match(String(owned('7')), /,uid=7$/)
  assert.doesNotMatch(String(owned('app:8')), /,[ug]id/)
  const file = tmpfsOf(named('/tmp:uid=1'), [], { ...memory, user: '7:8' })
  assert.equal(file['/tmp']?.match(/uid=/g)?.length, 1)
})

test('Podman is told of its own folders, of the owner in its way, and to fill none', () => {
  const podman = { size: 64, user: '7:8', podman: true }
  const strict = 'nosuid,nodev,noexec,size=64,mode=1777,U,notmpcopyup'
  assert.deepEqual(tmpfsOf(named('/var/tmp'), [], podman), {
    '/tmp': `rw,${strict}`,
    '/run': `${strict},ro`,
    '/var/tmp': `rw,${strict}`,
  })
  assert.deepEqual(Object.keys(tmpfsOf({ tmpfs: [], readOnly: false }, [], podman)), ['/tmp'])
})
