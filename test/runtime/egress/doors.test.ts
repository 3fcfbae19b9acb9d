import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { GATEWAY } from '../../../src/mark.ts'
import { EgressDoors } from '../../../src/runtime/egress/doors.ts'
import { forgetEgress } from '../../../src/runtime/egress/folder.ts'
import { recorder } from './house.ts'

test('instances of a tool share one proxy, which ends with the last of them', async (t) => {
  const { doors } = await openDoors(t)
  const [first, second] = await Promise.all([
    doors.open('files', 'egress'),
    doors.open('files', 'egress'),
  ])
  assert.equal(first.path, second.path)
  await Promise.all([first.release(), first.release()])
  assert.match(await askFor(second.path, '127.0.0.1:80'), / 403 /)
  await second.release()
  assert.ok(!existsSync(second.path))
  const third = await doors.open('files', 'egress')
  assert.match(await askFor(third.path, '127.0.0.1:80'), / 403 /)
})

test('tools, and versions of one with another policy, have doors of their own', async (t) => {
  const { doors } = await openDoors(t)
  const paths = await Promise.all([
    doors.open('files', 'egress'),
    doors.open('other', 'egress'),
    doors.open('files', { allow: ['a.example:443'] }),
  ])
  assert.equal(new Set(paths.map(({ path }) => path)).size, 3)
  const [wide, , narrow] = paths
  assert.match(await askFor(wide.path, 'b.example:443'), / 502 .*the name has no address/s)
  assert.match(await askFor(narrow.path, 'b.example:443'), / 403 .*not in the tool's policy/s)
})

test('everyone may connect to the socket, and only our user may find it', async (t) => {
  const { doors, cache } = await openDoors(t)
  const { path } = await doors.open('files', 'egress')
  assert.equal(dirname(path), join(cache, 'egress', GATEWAY))
  assert.equal((await stat(path)).mode & 0o777, 0o666)
  for (const folder of [dirname(path), join(cache, 'egress')])
    assert.equal((await stat(folder)).mode & 0o777, 0o700)
})

test('a cache folder that lies deep is not used for sockets', async (t) => {
  const { doors } = await openDoors(t, 'ä'.repeat(50))
  const { path } = await doors.open('files', 'egress')
  assert.equal(dirname(path), join(tmpdir(), `toolgate-${GATEWAY}`))
  assert.match(await askFor(path, '127.0.0.1:80'), / 403 /)
  assert.equal((await stat(dirname(path))).mode & 0o777, 0o700)
  await doors.close()
  assert.ok(!existsSync(dirname(path)))
})

test('a folder that others may enter is not used', async (t) => {
  const { doors, cache } = await openDoors(t)
  await mkdir(join(cache, 'egress', GATEWAY), { recursive: true })
  await chmod(join(cache, 'egress', GATEWAY), 0o777)
  await assert.rejects(doors.open('files', 'egress'), { code: 'tool_failed_to_start' })
  await rm(join(cache, 'egress', GATEWAY), { recursive: true })
  await symlink('/tmp', join(cache, 'egress', GATEWAY))
  await assert.rejects(doors.open('files', 'egress'), { code: 'tool_failed_to_start' })
  await rm(join(cache, 'egress', GATEWAY))
  assert.match(await askFor((await doors.open('files', 'egress')).path, '127.0.0.1:80'), / 403 /)
})

test('the cache folder may be emptied between two tools', async (t) => {
  const { doors, cache } = await openDoors(t)
  await doors.open('files', 'egress')
  await rm(cache, { recursive: true })
  const { path } = await doors.open('other', 'egress')
  assert.match(await askFor(path, '127.0.0.1:80'), / 403 /)
})

test('the ports of the gateway are asked for when they are needed', async (t) => {
  const ports: number[] = []
  const { doors } = await openDoors(t, '', () => ports)
  const { path } = await doors.open('files', 'egress')
  assert.match(await askFor(path, '127.0.0.1:4711'), /does not lead to public addresses/)
  ports.push(4711)
  assert.match(await askFor(path, '127.0.0.1:4711'), /a port of the gateway itself/)
})

test('a container has a port of its own, shared in the same way', async (t) => {
  const { doors } = await openDoors(t)
  const at = { host: '127.0.0.1', from: '127.0.0.0/8' }
  const first = await doors.openPort('boxed', 'egress', at)
  const second = await doors.openPort('boxed', 'egress', at)
  assert.equal(first.port, second.port)
  assert.match(await askFor(first, '127.0.0.1:80'), / 403 /)
  await Promise.all([first.release(), second.release()])
  await assert.rejects(askFor(first, '127.0.0.1:80'), { code: 'ECONNREFUSED' })
})

test('after the close nothing is left, and nothing can be opened', async (t) => {
  const { doors, cache } = await openDoors(t)
  const door = await doors.open('files', 'egress')
  const opening = doors.open('other', 'egress')
  await doors.close()
  assert.deepEqual(await readdir(join(cache, 'egress')), [])
  await door.release()
  await opening.then(({ release }) => release())
  await assert.rejects(doors.open('files', 'egress'), { code: 'shutting_down' })
})

test('what a dead gateway left is removed, and what others have is not', async (t) => {
  const { cache } = await openDoors(t)
  const [dead, alive] = ['00000000deadbeef', '00000000deadbee0']
  const short = join(tmpdir(), `toolgate-${dead}`)
  const folders = [join(cache, 'egress', dead), join(cache, 'egress', alive), short]
  for (const folder of folders) {
    await mkdir(folder, { recursive: true })
    await writeFile(join(folder, '1'), '')
  }
  await writeFile(join(cache, 'kept'), '')
  await forgetEgress(cache, new Set([dead, '..', '../..', '']))
  assert.deepEqual(
    folders.map((folder) => existsSync(folder)),
    [false, true, false],
  )
  assert.ok(existsSync(join(cache, 'kept')))
  await forgetEgress(join(cache, 'nowhere'), new Set([dead]))
})

async function openDoors(t: TestContext, below = '', ownPorts: () => readonly number[] = () => []) {
  const top = await mkdtemp(join(tmpdir(), 'toolgate-doors-'))
  const cache = join(top, below)
  const doors = new EgressDoors({
    cache,
    log: recorder([]),
    meters: { egress: () => {} },
    ownPorts,
    lookup: async () => [],
  })
  t.after(async () => {
    await doors.close()
    await rm(top, { recursive: true, force: true })
  })
  return { doors, cache }
}

async function askFor(door: string | { host: string; port: number }, place: string) {
  const at = typeof door === 'string' ? { path: door } : { host: door.host, port: door.port }
  const socket = connect(at)
  socket.write(`CONNECT ${place} HTTP/1.1\r\nHost: ${place}\r\n\r\n`)
  return text(socket)
}
