import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { type EgressOptions, EgressProxy } from '../../../src/runtime/egress/proxy.ts'
import type { LogFields, Logger } from '../../../src/telemetry/log.ts'

/** A public address for names that the tests make up. */
export const PUBLIC = '93.184.216.34'

export interface House {
  readonly proxy: EgressProxy
  /** Of the proxy's socket. */
  readonly path: string
  /** What was counted, in its order. */
  readonly outcomes: string[]
  readonly lines: LogFields[]
  /** Names that were looked up. */
  readonly asked: string[]
  /** Addresses that were connected to. */
  readonly dialled: string[]
  /** A new connection to the proxy, which is destroyed after the test. */
  enter(): Socket
}

export interface HouseOptions extends Partial<EgressOptions> {
  /** Where every connection to the outside ends instead. */
  readonly far?: Server
}

/** A proxy of its own, whose names all lead to `PUBLIC` and whose outside is the server `far`. */
export async function openHouse(t: TestContext, options: HouseOptions = {}): Promise<House> {
  const folder = await mkdtemp(join(tmpdir(), 'toolgate-egress-'))
  const path = join(folder, 'proxy')
  const { far, lookup = async () => [PUBLIC], ...others } = options
  const house = { outcomes: [] as string[], lines: [] as LogFields[], asked: [] as string[] }
  const dialled: string[] = []
  const proxy = new EgressProxy({
    tool: 'fetcher',
    network: 'egress',
    log: recorder(house.lines),
    meters: { egress: (_, outcome) => house.outcomes.push(outcome) },
    ownPorts: () => [8080],
    ownAddresses: () => ['127.0.0.1', '::1', '198.41.0.4'],
    lookup: (host) => {
      house.asked.push(host)
      return lookup(host)
    },
    connect: (address, port) => {
      dialled.push(`${address} ${port}`)
      return connect({ ...placeOf(far), allowHalfOpen: true })
    },
    ...others,
  })
  await proxy.listen({ path })
  const entered: Socket[] = []
  t.after(async () => {
    for (const socket of entered) socket.destroy()
    await proxy.close()
    await rm(folder, { recursive: true, force: true })
  })
  const enter = () => {
    const socket = connect({ path, allowHalfOpen: true }).on('error', () => {})
    entered.push(socket)
    return socket
  }
  return { proxy, path, dialled, enter, ...house }
}

/** Sends a text and gives all that comes back until the proxy ends it, however it does. */
export async function exchange(house: House, sent: string): Promise<string> {
  const socket = house.enter()
  // A plain request whose sender is done is one that nobody waits for.
  if (sent.startsWith('CONNECT')) socket.end(sent, 'latin1')
  else socket.write(sent, 'latin1')
  let got = ''
  socket.setEncoding('latin1').on('data', (chunk) => {
    got += chunk
  })
  await once(socket, 'end').catch(() => {})
  socket.destroy()
  return got
}

/** Listens on loopback, until the end of the test. */
export async function listen<S extends Server>(t: TestContext, server: S): Promise<S> {
  const open = new Set<Socket>()
  server.on('connection', (socket: Socket) => open.add(socket.on('error', () => {})))
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready))
  t.after(() => {
    for (const socket of open) socket.destroy()
    server.close()
  })
  return server
}

function placeOf(server: Server | undefined): { host: string; port: number } {
  const address = server?.address()
  if (address === null || typeof address !== 'object') throw new Error('no outside was given')
  return { host: '127.0.0.1', port: address.port }
}

export function recorder(lines: LogFields[], always: LogFields = {}): Logger {
  const write = (fields: LogFields, msg: string) => {
    lines.push({ ...always, ...fields, msg })
  }
  return {
    debug: write,
    info: write,
    warn: write,
    error: write,
    child: (fields) => recorder(lines, { ...always, ...fields }),
  }
}
