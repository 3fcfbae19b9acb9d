import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isSeen, type Mount, mountFlags, readOnly } from '../../../src/runtime/cell/view.ts'

const MERGED: readonly Mount[] = [
  readOnly('/usr'),
  { kind: 'link', source: 'usr/bin', target: '/bin' },
]

test('what lies behind a link is seen where what the link leads to is', () => {
  assert.equal(isSeen('/bin/sh', MERGED), true)
  assert.equal(isSeen('/bin', MERGED), true)
  assert.equal(isSeen('/binary', MERGED), false)
  assert.equal(isSeen('/bin/sh', MERGED.slice(1)), false)
  const absolute: Mount = { kind: 'link', source: '/usr/lib/tool/cli.js', target: '/opt/bin/tool' }
  assert.equal(isSeen('/opt/bin/tool', [...MERGED, absolute]), true)
  assert.equal(isSeen('/opt/bin/tool', [absolute]), false)
})

test('no folder is made where a link is', () => {
  const flags = mountFlags([...MERGED, { kind: 'read-only', source: '/a', target: '/bin/a' }])
  assert.ok(!flags.join(' ').includes('--dir /bin'), flags.join(' '))
})

test('a link below a folder that is mounted is left to that folder', () => {
  const zone: Mount = { kind: 'link', source: '/usr/share/zoneinfo/UTC', target: '/etc/localtime' }
  assert.deepEqual(mountFlags([...MERGED, zone]).slice(-3), ['--symlink', zone.source, zone.target])
  assert.ok(!mountFlags([...MERGED, zone, readOnly('/etc')]).includes(zone.target))
})
