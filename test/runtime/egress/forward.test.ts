import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type Server } from 'node:net'
import { text } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { FORWARD, forwardWords } from '../../../src/runtime/egress/forwarded.ts'
import { FORWARDER } from '../../../src/runtime/egress/variables.ts'
import { within } from '../../harness/until.ts'
import { listen, openHouse } from './house.ts'

test('a program speaks through it as if it were not there, and it ends with its code', async (t) => {
  const child = await forward(t, "process.stdin.pipe(process.stdout); console.error('err')")
  child.stdin?.end('to and fro')
  const [out, err] = await Promise.all([text(child.stdout as never), text(child.stderr as never)])
  assert.deepEqual([out, err], ['to and fro', 'err\n'])
  assert.deepEqual(await ended(child), [0, null])
  assert.deepEqual(await ended(await forward(t, 'process.exit(7)')), [7, null])
})

test('it ends by the signal that ended the program', async (t) => {
  const child = await forward(t, "process.kill(process.pid, 'SIGKILL')")
  assert.deepEqual(await ended(child), [null, 'SIGKILL'])
  const other = await forward(t, "process.kill(process.pid, 'SIGTERM')")
  assert.deepEqual(await ended(other), [null, 'SIGTERM'])
})

test('it leaves to the program what to do with a signal to the group', async (t) => {
  const child = await forward(
    t,
    "process.on('SIGTERM', () => setTimeout(() => process.exit(3), 50)); console.log('ready'); setInterval(() => {}, 1e6)",
  )
  await once(child.stdout as never, 'data')
  process.kill(-(child.pid as number), 'SIGTERM')
  assert.deepEqual(await ended(child), [3, null])
})

test('what the program closes is closed', async (t) => {
  const child = await forward(
    t,
    "require('fs').closeSync(1); process.stdin.on('end', () => process.exit(4)).resume()",
  )
  await within(5_000, 'the output ends', text(child.stdout as never))
  child.stdin?.end()
  assert.deepEqual(await ended(child), [4, null])
})

test('a program that is not there is said to be so', async (t) => {
  const port = await freePort()
  const child = start(t, [FORWARD, String(port), '/nowhere', 'no-such-program'])
  const err = await text(child.stderr as never)
  assert.match(err, /^no-such-program: .*ENOENT\n$/)
  assert.deepEqual(await ended(child), [127, null])
})

test('without a port of its own it starts nothing', async (t) => {
  const taken = await listen(t, createServer())
  const { port } = taken.address() as { port: number }
  const child = start(t, [FORWARD, String(port), '/nowhere', process.execPath, '-p', '1'])
  assert.match(await text(child.stderr as never), /^No way out of the cell: .*EADDRINUSE/)
  assert.deepEqual(await ended(child), [125, null])
})

test('connections go to the proxy and back, many at once, and end as they end there', async (t) => {
  const far = await listen(
    t,
    createServer({ allowHalfOpen: true }, (socket) => socket.pipe(socket)),
  )
  const house = await openHouse(t, { far })
  const child = await forward(t, MANY, house.path)
  assert.equal(await text(child.stdout as never), '20 of 20\n')
  assert.deepEqual(await ended(child), [0, null])
  assert.equal(house.outcomes.filter((outcome) => outcome === 'ok').length, 20)
})

test('without the proxy a connection is closed, and the program lives on', async (t) => {
  const child = await forward(
    t,
    `require('net').connect(Number(process.argv[1]), '127.0.0.1').on('error', () => {}).on('close', () => console.log('closed')).resume()`,
  )
  assert.equal(await text(child.stdout as never), 'closed\n')
  assert.deepEqual(await ended(child), [0, null])
})

test('it is started with the port that programs are told of', () => {
  assert.deepEqual(forwardWords('/bin/node', '/forward.mjs', '/socket'), [
    '/bin/node',
    '--no-use-env-proxy',
    '/forward.mjs',
    String(FORWARDER.port),
    '/socket',
  ])
})

/** Opens 20 tunnels, sends a megabyte through each, ends it and counts what comes back. */
const MANY = `
  const { connect } = require('net')
  const one = () => new Promise((done) => {
    let got = 0
    const socket = connect({ port: Number(process.argv[1]), host: '127.0.0.1', allowHalfOpen: true })
    socket.write('CONNECT example.com:7 HTTP/1.1\\r\\nHost: example.com:7\\r\\n\\r\\n')
    socket.end(Buffer.alloc(1e6))
    socket.on('data', (chunk) => { got += chunk.length }).on('end', () => done(got))
  })
  const answer = 'HTTP/1.1 200 Connection Established\\r\\n\\r\\n'
  Promise.all(Array.from({ length: 20 }, one)).then((all) => {
    console.log(all.filter((got) => got === 1e6 + answer.length).length + ' of 20')
  })
`

/** A Node program behind the forwarder, whose port is its argument. */
async function forward(t: TestContext, script: string, socket = '/nowhere') {
  const port = String(await freePort())
  return start(t, [FORWARD, port, socket, process.execPath, '-e', script, port])
}

function start(t: TestContext, args: string[]): ChildProcess {
  const child = spawn(process.execPath, args, { detached: true })
  t.after(() => child.kill('SIGKILL'))
  return child
}

async function ended(child: ChildProcess): Promise<unknown[]> {
  if (child.exitCode !== null || child.signalCode !== null)
    return [child.exitCode, child.signalCode]
  return within(10_000, 'the forwarder ends', once(child, 'exit'))
}

async function freePort(): Promise<number> {
  const server: Server = createServer()
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready))
  const { port } = server.address() as { port: number }
  await new Promise((closed) => server.close(closed))
  return port
}
