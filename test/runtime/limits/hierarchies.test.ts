import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { findHierarchies } from '../../../src/runtime/limits/hierarchies.ts'

test('our groups of version 1 are found, controllers mounted together too', async (t) => {
  const proc = procOf(
    t,
    '5:memory:/a\n3:cpu,cpuacct:/b/c\n2:name=systemd:/\n',
    `1 0 0:1 / /sys/fs/cgroup/memory rw shared:9 - cgroup cgroup rw,memory
2 0 0:2 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct
`,
  )
  assert.deepEqual(await findHierarchies(proc), [
    {
      version: 1,
      controllers: ['memory'],
      mount: '/sys/fs/cgroup/memory',
      own: '/sys/fs/cgroup/memory/a',
    },
    {
      version: 1,
      controllers: ['cpu', 'cpuacct'],
      mount: '/sys/fs/cgroup/cpu,cpuacct',
      own: '/sys/fs/cgroup/cpu,cpuacct/b/c',
    },
  ])
})

test('in a container the mount shows its own group as the top', async (t) => {
  const proc = procOf(
    t,
    '4:pids:/docker/abc/below\n0::/docker/abc\n',
    `1 0 0:1 /docker/abc /with\\040blank ro - cgroup cgroup rw,pids
2 0 0:2 /docker/abc /sys/fs/cgroup rw - cgroup2 cgroup rw
`,
  )
  assert.deepEqual(
    (await findHierarchies(proc)).map(({ version, own }) => [version, own]),
    [
      [1, '/with blank/below'],
      [2, '/sys/fs/cgroup'],
    ],
  )
})

test('the last of several mounts is the one that is seen', async (t) => {
  const mounts = `1 0 0:1 / /old rw - cgroup2 cgroup rw\n2 0 0:1 / /new rw - cgroup2 cgroup rw\n`
  const [found] = await findHierarchies(procOf(t, '0::/\n', mounts))
  assert.equal(found?.own, '/new')
})

test('a group outside of what is mounted, or no group at all, is none', async (t) => {
  const mounts = '1 0 0:1 /docker/abc /c rw - cgroup2 cgroup rw\n'
  assert.deepEqual(await findHierarchies(procOf(t, '0::/docker/abcd\n', mounts)), [])
  assert.deepEqual(await findHierarchies(procOf(t, '0::/../x\n', mounts)), [])
  assert.deepEqual(await findHierarchies('/nowhere'), [])
})

function procOf(t: TestContext, cgroup: string, mountinfo: string): string {
  const proc = mkdtempSync(join(tmpdir(), 'proc-'))
  t.after(() => rmSync(proc, { recursive: true }))
  mkdirSync(join(proc, 'self'))
  writeFileSync(join(proc, 'self/cgroup'), cgroup)
  writeFileSync(join(proc, 'self/mountinfo'), mountinfo)
  return proc
}
