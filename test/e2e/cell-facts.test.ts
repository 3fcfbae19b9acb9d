import assert from 'node:assert/strict'
import { readlinkSync } from 'node:fs'
import { hostname } from 'node:os'
import { after, test } from 'node:test'
import { fixture } from '../harness/fixtures.ts'
import { startGateway } from '../harness/gateway.ts'
import { absent } from '../harness/services.ts'
import { openSession, type Session } from '../harness/session.ts'

const skip = absent('bwrap')
const FIXTURES = new URL('../fixtures', import.meta.url).pathname
const gateway = skip
  ? undefined
  : await startGateway(
      { after },
      {
        config: { cells: { tmp: '4MB' } },
        tools: {
          celled: {
            command: fixture('runs-scripts'),
            policy: { sandbox: 'required', files: { read: [FIXTURES] } },
            idle: '1m',
          },
        },
      },
    )
const open = () => openSession(`${gateway?.url}/mcp/celled`)
const run = async (session: Session, program: 'sh' | 'node', script: string) =>
  String(JSON.parse(await session.callText(program, { script })).said).trim()

test('of each kind of namespace a tool has its own, and so has the next session', {
  skip,
}, async () => {
  const kinds = ['ipc', 'uts', 'cgroup', 'pid', 'net', 'mnt']
  const [one, two] = [await open(), await open()]
  const script = `cd /proc/self/ns; for kind in ${kinds.join(' ')}; do readlink $kind; done`
  const [first, second] = [await run(one, 'sh', script), await run(two, 'sh', script)]
  for (const [at, kind] of kinds.entries()) {
    const each = [readlinkSync(`/proc/self/ns/${kind}`), ...[first, second].map(line(at))]
    for (const name of each) assert.match(String(name), new RegExp(`^${kind}:\\[\\d+\\]$`))
    assert.equal(new Set(each).size, 3, each.join(' '))
  }
  await Promise.all([one.end(), two.end()])
})

test('the host name in a cell is its own', { skip }, async () => {
  const session = await open()
  assert.equal(await run(session, 'sh', 'cat /proc/sys/kernel/hostname'), 'tool')
  assert.notEqual(hostname(), 'tool')
  await session.end()
})

test('a tool’s session is led from within its cell, and has no terminal', { skip }, async () => {
  const tool = await open()
  const own = statOf(await run(tool, 'sh', 'cat /proc/self/stat'))
  // One whose leader is outside would be 0 in there.
  assert.ok(own.session > 0, `${own.session}`)
  const leader = statOf(await run(tool, 'sh', `cat /proc/${own.session}/stat`))
  assert.deepEqual([leader.pid, leader.session], [own.session, own.session])
  assert.deepEqual([own.terminal, leader.terminal], [0, 0])
  assert.match(await run(tool, 'sh', ': </dev/tty'), /No such device or address/)
  await tool.end()
})

test('/tmp and /dev/shm are bounded, each by itself, and empty for the next session', {
  skip,
}, async () => {
  const write = (path: string, megabytes: number) =>
    `try { fs.writeFileSync('${path}', Buffer.alloc(${megabytes} * 2 ** 20)); console.log('written') }
    catch (error) { console.log(error.code) }`
  const first = await open()
  for (const folder of ['/tmp', '/dev/shm']) {
    assert.equal(await run(first, 'node', write(`${folder}/large`, 5)), 'ENOSPC', folder)
    await run(first, 'sh', `rm ${folder}/large`)
    assert.equal(await run(first, 'node', write(`${folder}/fits`, 3)), 'written', folder)
    assert.equal(await run(first, 'node', write(`${folder}/more`, 2)), 'ENOSPC', folder)
  }
  const second = await open()
  // Where the checkout lies below one of them, it is mounted there.
  assert.equal(await run(second, 'sh', 'find /tmp /dev/shm -xdev -type f'), '')
  await Promise.all([first.end(), second.end()])
})

const line = (at: number) => (said: string) => said.split('\n')[at]

/** Of `/proc/<pid>/stat`, as proc(5) counts them: 1, 6 and 7; the second may hold anything. */
function statOf(text: string) {
  const [session, terminal] = text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .slice(3)
  return { pid: Number.parseInt(text, 10), session: Number(session), terminal: Number(terminal) }
}
