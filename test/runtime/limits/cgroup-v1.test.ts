import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { globSync } from 'node:fs'
import { mkdir, rmdir, writeFile } from 'node:fs/promises'
import { test } from 'node:test'
import { folderOf } from '../../../src/runtime/limits/cgroup-folder.ts'
import { GroupMeter } from '../../../src/runtime/limits/group-meter.ts'
import { findLimiter } from '../../../src/runtime/limits/limiter.ts'
import { isAlive } from '../../harness/processes.ts'
import { until } from '../../harness/until.ts'
import { contain, containIn, mark, noCgroups, python, runIn, TAKES_MEMORY } from './contained.ts'

const MB = 2 ** 20
const bounds = { memory: 64 * MB, processes: 32, cpus: null }
const options = { skip: noCgroups, timeout: 60_000 }

test('says which files keep the bounds', options, async () => {
  const { kind, how, prefix } = await findLimiter({ only: 'cgroup v1' })
  assert.equal(kind, 'cgroup v1')
  assert.deepEqual(how, {
    memory: 'cgroup v1: memory.limit_in_bytes',
    processes: 'cgroup v1: pids.max',
    cpus: 'cgroup v1: cpu.cfs_quota_us',
  })
  assert.deepEqual(prefix(bounds), [])
})

test('is what is found here without being asked for, once', options, async () => {
  assert.equal((await findLimiter()).kind, 'cgroup v1')
  assert.equal(findLimiter(), findLimiter())
})

test('who comes by its entrance is in before its first instruction', options, async () => {
  const name = mark()
  const group = await (await findLimiter({ only: 'cgroup v1' })).open(name, bounds)
  const tool = await containIn(group, ['cat', '/proc/self/cgroup'])
  try {
    // Nobody moved it.
    tool.begin()
    const lines = (await tool.said).split('\n').filter((line) => line.endsWith(folderOf(name)))
    const controllers = lines.flatMap((line) => line.split(':')[1]?.split(',') ?? [])
    for (const each of ['memory', 'pids', 'cpuacct']) assert.ok(controllers.includes(each), each)
  } finally {
    await group.remove()
  }
})

test('where one of its groups is gone nobody comes in', options, async () => {
  const name = mark()
  const group = await (await findLimiter({ only: 'cgroup v1' })).open(name, bounds)
  const [, second = ''] = foldersOf(name)
  await rmdir(second)
  const [program = '', ...args] = [...group.entrance, 'echo', 'came in']
  const { stdout, status } = spawnSync(program, args, { encoding: 'utf8' })
  assert.deepEqual({ stdout, status }, { stdout: '', status: 1 })
  await group.remove()
})

test('who takes more memory than it may is ended, and it is said why', options, async () => {
  const group = await open()
  const { breach } = await runIn(group, python(TAKES_MEMORY))
  assert.equal(breach, 'it used more than its memory (64 MB)')
})

test('a tool does not go on without the process that was killed for memory', options, async () => {
  const parent = `if os.fork() == 0:
  ${TAKES_MEMORY.replaceAll('\n', '\n  ')}
print(os.WTERMSIG(os.wait()[1]), flush=True)
time.sleep(15)`
  const { said, signalCode, breaches } = await runIn(await open(), python(parent))
  // It may be ended before it hears of its child.
  assert.match(said, /^9?$/)
  assert.equal(signalCode, 'SIGKILL')
  assert.deepEqual(breaches, ['it used more than its memory (64 MB)'])
})

test('memory within the bound is nobody’s business', options, async () => {
  const within = "held = b'x' * (30 << 20)\nprint(len(held))"
  const { breach, breaches, exitCode } = await runIn(await open(), python(within))
  assert.deepEqual({ breach, breaches, exitCode }, { breach: undefined, breaches: [], exitCode: 0 })
})

test('a fork bomb gets as many processes as it may, and no more', options, async () => {
  // Each by its id: killed with it, the shell that started it would at times still say so.
  const bomb = `born = []
while True:
  try:
    pid = os.fork()
    if pid == 0: time.sleep(15)
    born.append(pid)
  except OSError as error:
    print(len(born), error.errno, flush=True)
    break
for pid in born: os.kill(pid, 9)`
  const group = await open()
  const { said, breach } = await runIn(group, python(bomb))
  // It is one of its 32 itself.
  assert.equal(said, '31 11')
  assert.equal(breach, 'it started more than its 32 processes and threads')
})

test('a bomb whose every process forks is held, and ended with its group', options, async () => {
  const group = await open()
  const tool = await contain(...python('while True:\n  try: os.fork()\n  except OSError: pass'))
  try {
    await group.enter(tool.pids)
    tool.begin()
    await until('it wants more', () => group.breach())
    assert.ok(group.members().length <= bounds.processes + 2, `${group.members().length}`)
  } finally {
    await group.remove()
  }
  await until('nothing of it lives', () => tool.pids.every((pid) => !isAlive(pid)))
})

test('a part of a processor is all that it gets', options, async () => {
  const limiter = await findLimiter({ only: 'cgroup v1' })
  const burn = `end = time.monotonic() + 2
while time.monotonic() < end: pass
print(time.process_time())`
  const group = await limiter.open(mark(), { ...bounds, cpus: 0.2 })
  const { said, usage } = await runIn(group, python(burn))
  assert.ok(Number(said) > 0.1 && Number(said) <= 0.6, `${said} s in 2 s`)
  assert.ok((usage?.cpu ?? 0) >= Number(said) * 1000 - 20, `${usage?.cpu} ms`)
})

test('what was used is told, also of what has ended', options, async () => {
  const group = await open()
  const work = `if os.fork() == 0:
  held = b'x' * (20 << 20)
  while time.process_time() < 0.3: pass
  os._exit(0)
os.wait()
open('/dev/null', 'w').write('x' * 100000)`
  const tool = await contain(...python(work))
  const meter = new GroupMeter(group, tool.pids[1])
  await group.enter(tool.pids)
  tool.begin()
  await tool.said
  meter.end()
  await group.remove()
  const { cpu, memory } = meter.usage ?? {}
  assert.ok(cpu !== undefined && cpu >= 300 && cpu < 3_000, `${cpu} ms`)
  assert.ok(memory && memory >= 20 * MB && memory <= 64 * MB, `${memory} bytes`)
})

test('a group that was removed leaves no folder', options, async () => {
  const name = mark()
  const limiter = await findLimiter({ only: 'cgroup v1' })
  const group = await limiter.open(name, bounds)
  assert.equal(foldersOf(name).length, 3)
  await Promise.all([group.remove(), group.remove()])
  await group.remove()
  assert.deepEqual(foldersOf(name), [])
  assert.equal(group.breach(), undefined)
})

test('a group that cannot be made leaves nothing', options, async () => {
  const name = mark()
  const limiter = await findLimiter({ only: 'cgroup v1' })
  await assert.rejects(limiter.open(name, { ...bounds, processes: -5 }))
  assert.deepEqual(foldersOf(name), [])
  await assert.rejects(limiter.open('../elsewhere', bounds), /no mark/)
})

test('neither a process that is gone can enter, nor we ourselves', options, async () => {
  const group = await open()
  for (const pid of [0, 1, process.pid, -1, Number.NaN])
    await assert.rejects(group.enter([pid]), /no pids of a cell/)
  await assert.rejects(group.enter([2 ** 22 - 1]), { code: 'ESRCH' })
  await group.remove()
})

test('what a dead gateway left is ended; a living neighbour’s goes on', options, async () => {
  const limiter = await findLimiter({ only: 'cgroup v1' })
  const [dead, alive] = ['00000000deadbeef', '00000000a11ebeef']
  const [left, kept] = [mark(dead), mark(alive)]
  const orphan = await contain(...python('time.sleep(15)'))
  const neighbour = await contain(...python('time.sleep(15)'))
  const group = await limiter.open(kept, bounds)
  try {
    await (await limiter.open(left, bounds)).enter(orphan.pids)
    await group.enter(neighbour.pids)
    assert.equal(await limiter.reap(new Set()), 0)
    assert.equal(await limiter.reap(new Set([dead, 'ffffffffffffffff'])), 1)
    assert.deepEqual(foldersOf(left), [])
    await until('the orphan has ended', () => orphan.pids.every((pid) => !isAlive(pid)))
    assert.ok(neighbour.pids.every(isAlive))
    assert.equal(foldersOf(kept).length, 3)
    assert.equal(await limiter.reap(new Set([dead])), 0)
  } finally {
    orphan.kill()
    neighbour.kill()
    await group.remove()
  }
})

test('a dead gateway may have been in another group than we are', options, async () => {
  const elsewhere = `/sys/fs/cgroup/pids/limits-test-${process.pid}`
  const dead = '00000000deadbee2'
  const folder = `${elsewhere}/${folderOf(mark(dead))}`
  await mkdir(folder, { recursive: true })
  const orphan = await contain(...python('time.sleep(15)'))
  try {
    for (const pid of orphan.pids) await writeFile(`${folder}/cgroup.procs`, String(pid))
    const limiter = await findLimiter({ only: 'cgroup v1' })
    assert.equal(await limiter.reap(new Set([dead])), 1)
    await until('the orphan has ended', () => orphan.pids.every((pid) => !isAlive(pid)))
  } finally {
    orphan.kill()
    await rmdir(elsewhere)
  }
})

async function open() {
  return (await findLimiter({ only: 'cgroup v1' })).open(mark(), bounds)
}

function foldersOf(name: string): string[] {
  return globSync(`/sys/fs/cgroup/*/**/${folderOf(name)}`)
}
