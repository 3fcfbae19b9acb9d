import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { networkInterfaces } from 'node:os'
import { after, before, test } from 'node:test'
import { GATEWAY } from '../../../src/mark.ts'
import type { Policy } from '../../../src/tool/declaration.ts'
import { noEngine, startEngine, type TestEngine } from '../../harness/engine.ts'
import type { Owner } from '../../harness/gateway.ts'
import { textOf } from '../../harness/session.ts'
import { until } from '../../harness/until.ts'
import { boxed, type Ground, groundOf, type Started, start } from './given.ts'

const options = { skip: noEngine }
const ends: (() => Promise<void>)[] = []
const file: Owner = { after: (end) => void ends.push(end) }
let engine: TestEngine
let ground: Ground
let outside: number

before(async () => {
  if (noEngine) return
  engine = await startEngine(file)
  const far = createServer((_request, response) => response.writeHead(202).end())
  far.listen(0, '127.0.0.1')
  await once(far, 'listening')
  file.after(async () => {
    far.closeAllConnections()
    far.close()
  })
  outside = (far.address() as AddressInfo).port
  ground = await groundOf(file, engine.socket, {
    lookup: async () => ['93.184.216.34'],
    connect: () => connect({ host: '127.0.0.1', port: outside, allowHalfOpen: true }),
  })
})
after(async () => {
  for (const end of ends.reverse()) await end()
})

test(
  'a container reaches what its file names, through the proxy and no other way',
  options,
  async (t) => {
    const started = await start(t, ground, engine, tool({ allow: ['there.example:80'] }))
    assert.equal(await call(started, 'fetch', { url: 'http://there.example/' }), '202')
    const refused = await call(started, 'fetch', { url: 'http://elsewhere.example/' })
    assert.match(refused, /cancelled|403/)
    assert.ok(
      ground.logs.some(({ msg, host }) => msg === 'egress refused' && host === 'elsewhere.example'),
    )
    // What listens on all addresses of this machine is not reached at another network's.
    const server = createServer().listen(0, '0.0.0.0')
    await once(server, 'listening')
    t.after(() => void server.close())
    const { port } = server.address() as AddressInfo
    const [network] = Object.values((await started.inspect()).NetworkSettings.Networks)
    const others = Object.values(networkInterfaces())
      .flatMap((each) => each ?? [])
      .filter(({ family, internal }) => family === 'IPv4' && !internal)
      .map(({ address }) => address)
      .filter((address) => address.split('.')[1] !== network?.IPAddress.split('.')[1])
    for (const host of ['93.184.216.34', ...others]) {
      const direct = await call(started, 'connect', { host, port })
      assert.match(direct, /^(ENETUNREACH|EHOSTUNREACH|timeout)$/, host)
    }
    const routes = await call(started, 'read', { path: '/proc/net/route' })
    assert.doesNotMatch(routes, /\t00000000\t01[0-9A-F]{6}\t0003/, 'it leads to this machine')
    // Its loopback is not the machine's.
    assert.equal(
      await call(started, 'connect', { host: '127.0.0.1', port: outside }),
      'ECONNREFUSED',
    )
    // The engine looks up no names for it.
    const named = await call(started, 'connect', { host: 'there.example', port: 80 })
    assert.match(named, /^(EAI_AGAIN|ENOTFOUND|timeout)$/)
  },
)

test('one network for all containers of a tool, gone with the last of them', options, async (t) => {
  const [one, two] = [
    await start(t, ground, engine, tool('egress')),
    await start(t, ground, engine, tool('egress')),
  ]
  const [network, ...others] = await networks()
  assert.deepEqual(others, [])
  const { Internal, Labels } = await engine.docker.getNetwork(network ?? '').inspect()
  assert.equal(Internal, true)
  assert.deepEqual(Labels, { 'toolgate.gateway': GATEWAY, 'toolgate.tool': 'boxed' })
  assert.equal(await call(two, 'fetch', { url: 'http://there.example/' }), '202')
  await one.process.close('done')
  assert.equal(await call(two, 'fetch', { url: 'http://there.example/' }), '202')
  await two.process.close('done')
  await until('the network to be gone', async () => (await networks()).length === 0)
})

const tool = (network: Policy['network']) => boxed('looks-around', { network })

async function networks(): Promise<string[]> {
  const found = await engine.docker.listNetworks()
  return found.flatMap(({ Id, Labels }) => (Labels?.['toolgate.gateway'] === GATEWAY ? [Id] : []))
}

async function call(started: Started, name: string, args: object): Promise<string> {
  return textOf(await started.request('tools/call', { name, arguments: args }))
}
