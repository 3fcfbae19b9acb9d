import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { networkInterfaces } from 'node:os'
import { after, before, test } from 'node:test'
import { bridgeName } from '../../../src/runtime/container/wall.ts'
import type { Policy } from '../../../src/tool/declaration.ts'
import { IMAGE, noEngine, startEngine, type TestEngine } from '../../harness/engine.ts'
import type { Owner } from '../../harness/gateway.ts'
import { absent } from '../../harness/services.ts'
import { textOf } from '../../harness/session.ts'
import { until } from '../../harness/until.ts'
import { boxed, type Ground, groundOf, type Started, start } from './given.ts'
import { ourRules } from './rules.ts'

const options = { skip: noEngine || absent('iptables') || absent('ip') }
const ends: (() => Promise<void>)[] = []
const file: Owner = { after: (end) => void ends.push(end) }
let engine: TestEngine
let ground: Ground
/** A service of this machine on all of its addresses, of both versions of IP. */
let service: number

before(async () => {
  if (options.skip) return
  engine = await startEngine(file)
  const server = createServer((_request, response) => response.writeHead(202).end())
  server.listen(0, '::')
  await once(server, 'listening')
  file.after(async () => {
    server.closeAllConnections()
    server.close()
  })
  service = (server.address() as AddressInfo).port
  ground = await groundOf(file, engine.socket, {
    lookup: async () => ['93.184.216.34'],
    connect: () => connect({ host: '127.0.0.1', port: service, allowHalfOpen: true }),
  })
})
after(async () => {
  for (const end of ends.reverse()) await end()
})

test(
  'a service of this machine is not reached at the bridge; the proxy is, and no other tool’s',
  options,
  async (t) => {
    const [one, two] = [
      await start(t, ground, engine, tool({ allow: ['there.example:80'] })),
      await start(t, ground, engine, { ...tool('egress'), name: 'other' }),
    ]
    const [mine, others] = [await placeOf(one), await placeOf(two)]
    const foreign = await Promise.all([
      call(one, 'connect', { host: mine.gateway, port: service }),
      call(two, 'connect', { host: others.gateway, port: service }),
      // The same port at one's own gateway is somebody else's, too.
      call(one, 'connect', { host: mine.gateway, port: others.proxy.port }),
    ])
    assert.deepEqual(foreign, ['timeout', 'timeout', 'timeout'])
    assert.equal(await call(one, 'connect', mine.proxy), 'connected')
    assert.equal(await call(two, 'connect', others.proxy), 'connected')
    assert.equal(await call(one, 'fetch', { url: 'http://there.example/' }), '202')
    assert.notEqual(await call(one, 'connect', others.proxy), 'connected')
  },
)

test(
  'a changed route leads to no address of this machine, and to none behind it',
  options,
  async (t) => {
    const started = await start(t, ground, engine, tool('egress'))
    const { gateway, address, proxy } = await placeOf(started)
    // As a program with NET_ADMIN could.
    inside(started, 'ip', 'route', 'replace', 'default', 'via', gateway)
    const other = await neighbour(t)
    const places = [
      ...[...addresses('IPv4'), gateway].map((host) => ({ host, port: service })),
      // Without a wall its kernel answers that nobody listens.
      { host: other, port: 9 },
    ]
    const tries = places.map(async (place) => [place, await call(started, 'connect', place)])
    assert.deepEqual(
      await Promise.all(tries),
      places.map((place) => [place, 'timeout']),
    )
    assert.equal(await call(started, 'connect', proxy), 'connected')
    assert.notEqual(address, other)
  },
)

test('a container has no IPv6, and would reach nothing with it', options, async (t) => {
  const started = await start(t, ground, engine, tool('egress'))
  assert.match(await call(started, 'read', { path: '/proc/net/if_inet6' }), /^(ENOENT)?$/)
  if (!existsSync('/proc/net/if_inet6')) return
  const [local] = addresses('IPv6', (await placeOf(started)).bridge)
  assert.ok(local?.startsWith('fe80:'), `the bridge has ${local}`)
  inside(started, 'sysctl', '-qw', 'net.ipv6.conf.all.disable_ipv6=0')
  inside(started, 'sysctl', '-qw', 'net.ipv6.conf.eth0.disable_ipv6=0')
  const ready = () => / eth0\n/.test(inside(started, 'cat', '/proc/self/net/if_inet6'))
  await until('its own address', ready)
  inside(started, 'ip', '-6', 'addr', 'add', 'fe80::2/64', 'dev', 'eth0', 'nodad')
  const direct = await call(started, 'connect', { host: `${local}%eth0`, port: service })
  assert.equal(direct, 'timeout')
})

test('rules that somebody removed are set again by the next container', options, async (t) => {
  const one = await start(t, ground, engine, tool('egress'))
  const { gateway, bridge } = await placeOf(one)
  for (const rule of rulesOf(bridge)) execFileSync('iptables', ['-w', '-D', ...rule])
  assert.equal(await call(one, 'connect', { host: gateway, port: service }), 'connected')
  await start(t, ground, engine, tool('egress'))
  assert.equal(await call(one, 'connect', { host: gateway, port: service }), 'timeout')
  assert.equal(await call(one, 'fetch', { url: 'http://there.example/' }), '202')
})

test('no rule and no bridge is left of what has ended, however it did', options, async (t) => {
  const started = await Promise.all([
    start(t, ground, engine, tool('egress')),
    start(t, ground, engine, tool('egress')),
    start(t, ground, engine, { ...tool('egress'), name: 'other' }),
  ])
  const [one, two, three] = started
  assert.ok(one && two && three)
  const { bridge } = await placeOf(one)
  assert.equal((await placeOf(two)).bridge, bridge)
  assert.deepEqual(
    rulesOf(bridge).map((rule) => `${rule[0]} ${rule.at(-1)}`),
    ['INPUT ACCEPT', 'INPUT ACCEPT', 'INPUT DROP', 'FORWARD DROP'],
  )
  await one.process.close('done')
  assert.equal(rulesOf(bridge).length, 3)
  assert.equal(await call(two, 'fetch', { url: 'http://there.example/' }), '202')
  await Promise.all([two.process.kill('enough'), three.process.close('done')])
  await until('nothing to be left', () => ourRules().length + bridges().length === 0)
})

test('what the engine could not remove keeps its wall until it is', options, async (t) => {
  const started = await start(t, ground, engine, tool('egress'))
  const { bridge } = await placeOf(started)
  engine.signal('SIGSTOP')
  const ended = started.process.kill('enough')
  try {
    const doors = () => rulesOf(bridge).filter((rule) => rule.at(-1) === 'ACCEPT')
    await until('its door to be shut', () => doors().length === 0, 30_000)
    assert.equal(rulesOf(bridge).length, 2)
  } finally {
    engine.signal('SIGCONT')
  }
  await ended
  await until('the wall to be gone', () => rulesOf(bridge).length === 0, 20_000)
})

test('without a bridge no wall stays, though the engine is gone', options, async (t) => {
  const mine: (() => Promise<void>)[] = []
  const own: Owner = { after: (end) => void mine.unshift(end) }
  t.after(async () => {
    for (const end of mine) await end()
  })
  const other = await startEngine(own)
  const { process } = await start(own, await groundOf(own, other.socket), other, tool('egress'))
  const [bridge = ''] = bridges()
  await other.kill()
  execFileSync('ip', ['link', 'delete', bridge])
  await process.kill('enough')
  await until('the wall to be gone', () => rulesOf(bridge).length === 0, 30_000)
})

const bridges = () => Object.keys(networkInterfaces()).filter((name) => name.startsWith(OURS))

const OURS = bridgeName(0).slice(0, -1)

const tool = (network: Policy['network']) => boxed('looks-around', { network })

/** Where a container is, as itself and its engine have it. */
async function placeOf(started: Started) {
  const { NetworkSettings } = await started.inspect()
  const [network] = Object.values(NetworkSettings.Networks)
  const { Options, IPAM } = await engine.docker.getNetwork(network?.NetworkID ?? '').inspect()
  const proxy = new URL(JSON.parse(await call(started, 'environment')).HTTP_PROXY)
  return {
    address: network?.IPAddress ?? '',
    gateway: String(IPAM?.Config?.[0]?.Gateway),
    bridge: String(Options?.['com.docker.network.bridge.name']),
    proxy: { host: proxy.hostname, port: Number(proxy.port) },
  }
}

/** A container of an ordinary network, which answers from wherever it is asked. */
async function neighbour(t: Owner): Promise<string> {
  const network = await engine.docker.createNetwork({ Name: 'ordinary' })
  const container = await engine.docker.createContainer({
    Image: IMAGE,
    Cmd: ['-e', 'setInterval(() => {}, 1000)'],
    HostConfig: { NetworkMode: 'ordinary' },
  })
  t.after(async () => {
    await container.remove({ force: true })
    await network.remove()
  })
  await container.start()
  const { NetworkSettings } = await container.inspect()
  return String(NetworkSettings.Networks.ordinary?.IPAddress)
}

/** In the network namespace of the container, as root. */
function inside({ process: { pid } }: Started, ...command: string[]): string {
  return execFileSync('nsenter', ['-t', String(pid), '-n', ...command], { encoding: 'utf8' })
}

function addresses(family: 'IPv4' | 'IPv6', name?: string): string[] {
  const all = Object.entries(networkInterfaces())
  return all
    .filter(([each]) => name === undefined || each === name)
    .flatMap(([, found]) => found ?? [])
    .filter((each) => each.family === family && !each.internal)
    .map(({ address }) => address)
}

const rulesOf = (bridge: string) => ourRules().filter((rule) => rule.includes(bridge))

async function call(started: Started, name: string, args: object = {}): Promise<string> {
  return textOf(await started.request('tools/call', { name, arguments: args }))
}
