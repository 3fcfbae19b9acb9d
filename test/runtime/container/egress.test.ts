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
const PUBLIC = '93.184.216.34'
/** A port that the gateway has. */
const OWN = 8080
/** Where names lead, one lookup after the other; all else is public. */
const leads = new Map<string, string[][]>()
/** What was connected to, outside. */
const dialled: string[] = []
const ends: (() => Promise<void>)[] = []
const file: Owner = { after: (end) => void ends.push(end) }
let engine: TestEngine
let ground: Ground
let outside: number

before(async () => {
  if (noEngine) return
  engine = await startEngine(file)
  // Each request is a connection of its own, so that each has to be let through.
  const far = createServer((_, response) => response.writeHead(202, { connection: 'close' }).end())
  far.listen(0, '127.0.0.1')
  await once(far, 'listening')
  file.after(async () => {
    far.closeAllConnections()
    far.close()
  })
  outside = (far.address() as AddressInfo).port
  ground = await groundOf(file, engine.socket, {
    ownPorts: () => [OWN],
    lookup: async (host) => leads.get(host)?.shift() ?? [PUBLIC],
    connect: (address, port) => {
      dialled.push(`${address} ${port}`)
      return connect({ host: '127.0.0.1', port: outside, allowHalfOpen: true })
    },
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
    for (const host of [PUBLIC, ...others]) {
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

for (const listed of [false, true]) {
  const given = listed ? 'whose list names it' : "with 'egress'"
  test(
    `a container ${given} is refused what leads inside, and connected to what was checked`,
    options,
    async (t) => {
      const inside: Record<string, { leads?: string[]; why?: string }> = {
        'loopback.example:80': { leads: ['127.0.0.1'] },
        'private.example:80': { leads: ['10.0.0.1'] },
        'metadata.example:80': { leads: ['169.254.169.254'] },
        'both.example:80': { leads: [PUBLIC, '192.168.0.1'] },
        '169.254.169.254:80': {},
        [`gate.example:${OWN}`]: { leads: ['127.0.0.1'], why: 'gateway' },
        [`0.0.0.0:${OWN}`]: { why: 'gateway' },
      }
      const allow = [...Object.keys(inside), 'rebinds.example:80']
      const started = await start(t, ground, engine, tool(listed ? { allow } : 'egress'))
      for (const [place, { leads: addresses, why = 'not_public' }] of Object.entries(inside)) {
        const [host = '', port] = place.split(':')
        if (addresses) leads.set(host, [addresses])
        await refused(started, { host, port: Number(port), why })
      }
      leads.set('rebinds.example', [[PUBLIC], ['10.0.0.1']])
      dialled.length = 0
      assert.equal(await call(started, 'fetch', { url: 'http://rebinds.example/' }), '202')
      assert.deepEqual(dialled, [`${PUBLIC} 80`])
      await refused(started, { host: 'rebinds.example', port: 80, why: 'not_public' })
    },
  )
}

test(
  'a container is refused the gateway at the one address of this machine that it can reach',
  options,
  async (t) => {
    const started = await start(t, ground, engine, tool('egress'))
    const environment = JSON.parse(await call(started, 'environment', {}))
    await refused(started, {
      host: new URL(environment.HTTP_PROXY).hostname,
      port: OWN,
      why: 'gateway',
    })
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

/** Fetches it: the proxy says no and logs why, and nothing is connected to. */
async function refused(started: Started, place: { host: string; port: number; why: string }) {
  const [told, before] = [ground.logs.length, dialled.length]
  const url = `http://${place.host}:${place.port}/`
  assert.match(await call(started, 'fetch', { url }), /cancelled|403/, url)
  const lines = ground.logs.slice(told).filter(({ msg }) => msg === 'egress refused')
  assert.deepEqual(
    lines.map(({ host, port, why }) => ({ host, port, why })),
    [place],
  )
  assert.deepEqual(dialled.slice(before), [], url)
}

async function networks(): Promise<string[]> {
  const found = await engine.docker.listNetworks()
  return found.flatMap(({ Id, Labels }) => (Labels?.['toolgate.gateway'] === GATEWAY ? [Id] : []))
}

async function call(started: Started, name: string, args: object): Promise<string> {
  return textOf(await started.request('tools/call', { name, arguments: args }))
}
