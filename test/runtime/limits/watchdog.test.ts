import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findLimiter } from '../../../src/runtime/limits/limiter.ts'
import { countsByNamespace, findWatchdog } from '../../../src/runtime/limits/watchdog.ts'
import { absent } from '../../harness/services.ts'
import { until } from '../../harness/until.ts'
import { contain, mark, noNamespaces, python, runIn, TAKES_MEMORY } from './contained.ts'

const MB = 2 ** 20
const bounds = { memory: 64 * MB, processes: 32, cpus: null }
const options = { skip: noNamespaces || absent('prlimit'), timeout: 60_000 }

test('says what keeps the bounds, and that processors cannot be bounded', options, async () => {
  const { kind, how } = await findLimiter({ only: 'prlimit' })
  assert.equal(kind, 'prlimit')
  assert.deepEqual(how, {
    memory: 'a watchdog, and prlimit: RLIMIT_DATA',
    processes: 'a watchdog, and prlimit: RLIMIT_NPROC',
    cpus: null,
  })
})

test('who takes more memory than it may is ended, and it is said why', options, async () => {
  const { breaches, breach } = await runIn(await open(), await fenced(python(TAKES_MEMORY)))
  assert.deepEqual(breaches, ['it used more than its memory (64 MB)'])
  assert.equal(breach, breaches[0])
})

test('the memory of all processes counts, wherever they went', options, async () => {
  const parent = `for _ in range(4):
  if os.fork() == 0:
    os.setsid()
    if os.fork() > 0: os._exit(0)
    held = b'x' * (20 << 20)
    time.sleep(15)
time.sleep(15)`
  const { breaches } = await runIn(await open(), await fenced(python(parent)))
  assert.deepEqual(breaches, ['it used more than its memory (64 MB)'])
})

test('what processes share of a file is no memory of theirs', options, async () => {
  const within = `import mmap
with open('shared', 'wb') as file: file.truncate(50 << 20)
held = mmap.mmap(os.open('shared', os.O_RDONLY), 0, mmap.MAP_SHARED, mmap.PROT_READ)
for _ in range(2): os.fork()
sum(held[at] for at in range(0, len(held), 4096))
time.sleep(1.5)`
  const command = ['sh', '-c', 'cd "$(mktemp -d)" && "$@"; rm -r "$PWD"', 'sh', ...python(within)]
  const { breaches, exitCode } = await runIn(await open(), await fenced(command))
  assert.deepEqual({ breaches, exitCode }, { breaches: [], exitCode: 0 })
})

test('who starts more processes than it may is ended, and it is said why', options, async () => {
  const bomb = `for _ in range(60):
  if os.fork() == 0: time.sleep(15)
time.sleep(15)`
  const { breaches } = await runIn(await open(), await fenced(python(bomb)))
  assert.deepEqual(breaches, ['it started more than its 32 processes and threads'])
})

test('threads count as processes', options, async () => {
  const bomb = `import threading
for _ in range(40): threading.Thread(target=time.sleep, args=(15,), daemon=True).start()
time.sleep(15)`
  const { breaches } = await runIn(await open(), await fenced(python(bomb)))
  assert.deepEqual(breaches, ['it started more than its 32 processes and threads'])
})

test('nothing is said of who keeps within its bounds', options, async () => {
  const limiter = await findLimiter({ only: 'prlimit' })
  const within = "held = b'x' * (30 << 20)\nif os.fork() > 0: time.sleep(1.2)"
  const command = [...limiter.prefix(bounds), ...python(within)]
  const { breaches, exitCode } = await runIn(await open(), command)
  assert.deepEqual({ breaches, exitCode }, { breaches: [], exitCode: 0 })
})

test('the fences let Node run, with workers and a lot of its own memory', options, async () => {
  const program = `const { Worker } = require('node:worker_threads')
const held = Buffer.alloc(30e6, 1)
let left = 4
for (let n = 0; n < 4; n += 1)
  new Worker('', { eval: true }).on('exit', () => (left -= 1) || console.log('ran', held.length))`
  const small = { ...bounds, memory: 400 * MB }
  const group = await open(small)
  const command = await fenced([process.execPath, '-e', program], small)
  const { said } = await runIn(group, command)
  assert.equal(said, 'ran 30000000')
})

test(
  'one process cannot have much more than the fence, whatever it asks for',
  options,
  async () => {
    const [program = '', data = ''] = (await findLimiter({ only: 'prlimit' })).prefix(bounds)
    const asks = 'try: b"x" * (8 << 30)\nexcept MemoryError: print("refused")'
    const { said } = await runIn(await open(), [program, data, '--', ...python(asks)])
    assert.equal(said, 'refused')
  },
)

test('the members are those below the first process, until its end', options, async () => {
  const group = await open()
  const tool = await contain(...python("os.fork(); print('up', flush=True); time.sleep(15)"))
  try {
    await group.enter(tool.pids)
    assert.deepEqual(group.members(), [tool.pids[1]])
    tool.begin()
    await new Promise((resolve) => tool.child.stdout?.once('data', resolve))
    assert.ok(group.members().length >= 2)
  } finally {
    tool.kill()
    await tool.said
    await group.remove()
  }
  await until('nobody is left', () => group.members().length === 0)
})

test('a process that is gone cannot enter', options, async () => {
  await assert.rejects((await open()).enter([2 ** 22 - 1]), /no such process/)
})

test('beside cgroups that keep a bound, only the other is fenced', options, async () => {
  const { how, prefix } = await findWatchdog({ memory: true, processes: false })
  assert.equal(how.processes, null)
  assert.match(prefix(bounds).join(' '), /^\S+prlimit --data=\d+ --$/)
})

test('newer kernels count processes by user namespace', () => {
  assert.equal(countsByNamespace('5.14.0-70.el9.x86_64'), true)
  assert.equal(countsByNamespace('6.1.0'), true)
  assert.equal(countsByNamespace('5.4.0-42-generic'), false)
  assert.equal(countsByNamespace('4.18.0'), false)
})

async function open(bound = bounds) {
  return (await findLimiter({ only: 'prlimit' })).open(mark(), bound)
}

/** As in a cell: of a user of its own, behind the words of the limiter. */
async function fenced(command: readonly string[], bound = bounds): Promise<string[]> {
  const { prefix } = await findLimiter({ only: 'prlimit' })
  const user = ['setpriv', '--reuid', '2000099', '--regid', '2000099', '--clear-groups', '--']
  return [...user, ...prefix(bound), ...command]
}
