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
