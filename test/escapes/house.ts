import { chownSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fixture } from '../harness/fixtures.ts'
import { type Gateway, type GatewayOptions, type Owner, startGateway } from '../harness/gateway.ts'
import { openSession } from '../harness/session.ts'
import type { House } from './attacks.ts'
import { TREASURE } from './attacks.ts'

export interface Besieged {
  readonly gateway: Gateway
  readonly house: House
}

/** A gateway with all that attackers look for around it; `tools` beside a `neighbour`. */
export async function besiege(
  owner: Owner,
  { tools = {}, config = {}, ...options }: GatewayOptions,
): Promise<Besieged> {
  const home = mkdtempSync(join(tmpdir(), 'home-'))
  writeFileSync(join(home, 'private'), TREASURE)
  const abstractSocket = `toolgate-test-${process.pid}`
  const pathSocket = join(home, 'socket')
  const servers = [
    await listening({ path: `\0${abstractSocket}` }),
    await listening({ path: pathSocket }),
    await listening({ port: 0, host: '127.0.0.1' }),
  ]
  owner.after(async () => {
    for (const server of servers) server.close()
    rmSync(home, { recursive: true, force: true })
  })
  const engineSocket = String((config.engine as { socket?: string })?.socket ?? pathSocket)
  const gateway = await startGateway(owner, {
    ...options,
    env: { SECRET_OF_THE_GATEWAY: TREASURE, ...options.env },
    config: { sessions: { resume: '2s' }, ...config },
    tools: { neighbour: { command: fixture('echo'), mode: 'daemon' }, ...tools },
  })
  mkdirSync(join(gateway.workspace, 'neighbour'), { recursive: true })
  writeFileSync(join(gateway.workspace, 'neighbour', 'private'), TREASURE)
  const { uid, gid } = statSync(gateway.workspace)
  chownSync(join(gateway.workspace, 'neighbour'), uid, gid)
  const session = await openSession(`${gateway.url}/mcp/neighbour`).catch(async (error) => {
    // At the top of a test file no hook runs after this.
    await gateway.stop()
    throw error
  })
  const where = JSON.parse(await session.callText('where'))
  const root = join(gateway.workspace, '..')
  return {
    gateway,
    house: {
      // Where it runs in another program, that one has the other id.
      gatewayPid: Number(gateway.logs.find(({ msg }) => msg === 'listening')?.pid),
      neighbourPid: where.pid,
      config: join(root, 'gateway.yaml'),
      cache: join(root, 'cache'),
      workspace: gateway.workspace,
      home,
      port: portOf(servers[2]),
      gatewayPort: Number(new URL(gateway.url).port),
      abstractSocket,
      pathSocket,
      engineSocket,
    },
  }
}

function listening(where: object): Promise<Server> {
  const server = createServer((socket) => socket.destroy())
  return new Promise((resolve, reject) => {
    server.once('error', reject).listen(where, () => resolve(server))
  })
}

function portOf(server: Server | undefined): number {
  const address = server?.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** Whether another tool answers as ever. */
export async function neighbourAnswers({ gateway }: Besieged): Promise<boolean> {
  const session = await openSession(`${gateway.url}/mcp/neighbour`)
  const said = await session.callText('echo', { still: 'here' })
  await session.end()
  return said === '{"still":"here"}'
}
