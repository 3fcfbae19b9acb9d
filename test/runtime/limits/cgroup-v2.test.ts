import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { CgroupGroup } from '../../../src/runtime/limits/cgroup-group.ts'
import { V2 } from '../../../src/runtime/limits/cgroup-v2.ts'
import { findLimiter } from '../../../src/runtime/limits/limiter.ts'
import { isAlive } from '../../harness/processes.ts'
import { until } from '../../harness/until.ts'
import { contain, mark, noNamespaces, python } from './contained.ts'

/*
 * Of the kernel only what needs no controllers can be had beside version 1, so the files of the
 * controllers are played by a folder of files.
 */

const MB = 2 ** 20
const bounds = { memory: 64 * MB, processes: 32, cpus: 0.5 }

test('a delegated group is used: the gateway moves down, and the controllers are on', async (t) => {
  const { proc, own } = fake(t, { 'cgroup.procs': `${process.pid}\n` })
  const { kind, how, prefix } = await findLimiter({ proc })
  assert.equal(kind, 'cgroup v2')
  assert.deepEqual(how, {
    memory: 'cgroup v2: memory.max',
    processes: 'cgroup v2: pids.max',
    cpus: 'cgroup v2: cpu.max',
  })
  assert.deepEqual(prefix(bounds), [])
  assert.equal(read(own, 'toolgate-gateway/cgroup.procs'), String(process.pid))
  assert.equal(read(own, 'cgroup.subtree_control'), '+memory +pids +cpu')
})

test('a group has its bounds before anybody enters it', async (t) => {
  const { proc, own } = fake(t)
  const name = mark()
  await (await findLimiter({ proc })).open(name, bounds)
  const folder = join(own, `toolgate.${name}`)
  assert.deepEqual(
    ['memory.max', 'memory.swap.max', 'memory.oom.group', 'pids.max', 'cpu.max'].map((file) =>
      read(folder, file),
    ),
    [String(64 * MB), '0', '1', '34', '50000 100000'],
  )
})

test('breaches and usage are what the accounts of the kernel say', async (t) => {
  const { proc, own } = fake(t)
  const name = mark()
  const group = await (await findLimiter({ proc })).open(name, bounds)
  const say = (file: string, text: string) =>
    writeFileSync(join(own, `toolgate.${name}`, file), text)
  assert.equal(group.breach(), undefined)
  say('pids.events', 'max 3\n')
  assert.equal(group.breach(), 'it started more than its 32 processes and threads')
  say('memory.events', 'low 0\nhigh 0\nmax 12\noom 0\noom_kill 1\noom_group_kill 0\n')
  assert.equal(group.breach(), 'the host had no memory left for it')
  say('memory.events', 'low 0\nhigh 0\nmax 12\noom 1\noom_kill 1\noom_group_kill 1\n')
  assert.equal(group.breach(), 'it used more than its memory (64 MB)')
  say('cpu.stat', 'usage_usec 1234567\nuser_usec 1000000\nsystem_usec 234567\n')
  say('memory.peak', '33554432\n')
  assert.deepEqual(group.usage(), { cpu: 1234.567, memory: 32 * MB })
})

test('where a gateway before us has moved us down already, its group is used', async (t) => {
  const { proc, own } = fake(t, { 'cgroup.subtree_control': 'memory pids cpu\n' })
  mkdirSync(join(own, 'toolgate-gateway'))
  writeFileSync(join(proc, 'self/cgroup'), '0::/service/toolgate-gateway\n')
  const name = mark()
  await (await findLimiter({ proc })).open(name, bounds)
  assert.ok(existsSync(join(own, `toolgate.${name}`)))
  assert.ok(!existsSync(join(own, 'toolgate-gateway/toolgate-gateway')))
})

test('a group with processes of others in it is left alone', async (t) => {
  const { proc, own } = fake(t, { 'cgroup.procs': `1\n${process.pid}\n` })
  const { kind, how } = await findLimiter({ proc })
  assert.equal(kind, 'prlimit')
  assert.equal(how.cpus, null)
  assert.ok(!existsSync(join(own, 'toolgate-gateway')))
  assert.equal(read(own, 'cgroup.subtree_control'), '')
})

test('what is not delegated is kept by the watchdog', async (t) => {
  const { proc } = fake(t, { 'cgroup.controllers': 'pids io\n' })
  const limiter = await findLimiter({ proc })
  assert.equal(limiter.kind, 'cgroup v2')
  assert.match(String(limiter.how.memory), /^a watchdog/)
  assert.equal(limiter.how.processes, 'cgroup v2: pids.max')
  assert.equal(limiter.how.cpus, null)
  assert.doesNotMatch(limiter.prefix(bounds).join(' '), /nproc/)
})

test('without controllers, or outside of what is mounted, there are no cgroups', async (t) => {
  const none = fake(t, { 'cgroup.controllers': 'hugetlb\n' })
  assert.equal((await findLimiter({ proc: none.proc })).kind, 'prlimit')
  const outside = fake(t)
  writeFileSync(join(outside.proc, 'self/cgroup'), '0::/../elsewhere\n')
  assert.equal((await findLimiter({ proc: outside.proc })).kind, 'prlimit')
})

const UNIFIED = '/sys/fs/cgroup/unified'
const noUnified = noNamespaces || !existsSync(join(UNIFIED, 'cgroup.procs')) ? 'none here' : false

test('a real group counts time, and ends all that is in it at once', {
  skip: noUnified,
}, async () => {
  const folder = join(UNIFIED, `toolgate.${mark()}`)
  mkdirSync(folder)
  const group = new CgroupGroup({
    dialect: V2,
    places: { memory: folder },
    folders: [folder],
    bounds,
  })
  const tool = await contain(...python('os.fork()\nwhile True: pass'))
  try {
    await group.enter(tool.pids)
    tool.begin()
    await until('it has worked', () => (group.usage()?.cpu ?? 0) > 50)
    assert.ok(group.members().includes(tool.pids[1]))
  } finally {
    await group.remove()
  }
  assert.ok(!existsSync(folder))
  await until('nothing of it lives', () => tool.pids.every((pid) => !isAlive(pid)))
})

/** What a service has to which its group was delegated; `files` are of that group. */
function fake(t: TestContext, files: Readonly<Record<string, string>> = {}) {
  const root = mkdtempSync(join(tmpdir(), 'cgroup-'))
  t.after(() => rmSync(root, { recursive: true }))
  const [proc, own] = [join(root, 'proc'), join(root, 'cgroup/service')]
  mkdirSync(join(proc, 'self'), { recursive: true })
  mkdirSync(own, { recursive: true })
  writeFileSync(join(proc, 'self/cgroup'), '0::/service\n')
  const mount = `31 23 0:28 / ${join(root, 'cgroup')} rw,relatime shared:4 - cgroup2 cgroup2 rw\n`
  writeFileSync(join(proc, 'self/mountinfo'), mount)
  const all = {
    'cgroup.type': 'domain\n',
    'cgroup.controllers': 'cpuset cpu io memory pids\n',
    'cgroup.subtree_control': '',
    'cgroup.procs': `${process.pid}\n`,
    ...files,
  }
  for (const [name, text] of Object.entries(all)) writeFileSync(join(own, name), text)
  return { proc, own }
}

function read(folder: string, file: string): string {
  return readFileSync(join(folder, file), 'utf8')
}
