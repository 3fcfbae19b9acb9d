import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tmpfsOf } from '../../../src/runtime/container/tmpfs.ts'

test('what an entry does not say is the strict way', () => {
  assert.deepEqual(tmpfsOf(['/run', '/cache:exec,size=128m,mode=700'], 64), {
    '/tmp': 'rw,nosuid,nodev,noexec,size=64,mode=1777',
    '/run': 'rw,nosuid,nodev,noexec,size=64,mode=1777',
    '/cache': 'rw,nosuid,nodev,exec,size=128m,mode=700',
  })
})

test('the file has the last word on /tmp', () => {
  assert.deepEqual(tmpfsOf(['/tmp:ro,suid,dev,noexec'], 64), {
    '/tmp': 'size=64,mode=1777,ro,suid,dev,noexec',
  })
})

test('they belong to whom the container runs as, where that is a number', () => {
  const owned = (user: string) => tmpfsOf([], 64, user)['/tmp']
  assert.match(String(owned('7:8')), /,uid=7,gid=8$/)
  assert.match(String(owned('7')), /,uid=7$/)
  assert.doesNotMatch(String(owned('app:8')), /,[ug]id/)
  assert.equal(tmpfsOf(['/tmp:uid=1'], 64, '7:8')['/tmp']?.match(/uid=/g)?.length, 1)
})
