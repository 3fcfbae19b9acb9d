/**
 * Runs in a network namespace of its own, where 1.2.3.4 is this machine: a gateway, a service that
 * looks public, one on loopback, and tools in cells that try to reach them. Prints what they said.
 */
import { createServer, type Server } from 'node:http'
import { fixture } from '../harness/fixtures.ts'
import { startGateway } from '../harness/gateway.ts'
import { raw } from '../harness/raw.ts'
import { openSession } from '../harness/session.ts'
import { toolView } from '../harness/tool-view.ts'

const ends: (() => Promise<void>)[] = []
const FIXTURES = new URL('../fixtures', import.meta.url).pathname
const tool = (network: unknown) => ({
  command: fixture('runs-scripts'),
  policy: { sandbox: 'required', files: { read: [FIXTURES] }, network },
})
const servers = [await listening('1.2.3.4', 80), await listening('127.0.0.1', 81)]
const gateway = await startGateway(
  { after: (end) => void ends.push(end) },
  {
    // Not even its own address of the public kind is a way in.
    config: { listen: { host: '0.0.0.0' }, unauthenticated: true },
    tools: {
      egress: tool('egress'),
      listed: tool({ allow: ['public.example:80', 'inner.example:81'] }),
      none: tool('none'),
      host: tool('host'),
    },
  },
)
const port = new URL(gateway.url).port
const TARGETS = {
  public: 'http://public.example/',
  address: 'http://1.2.3.4/',
  inner: 'http://inner.example:81/',
  loopback: 'http://127.0.0.1:81/',
  metadata: 'http://169.254.169.254/',
  gateway: `http://0.0.0.0:${port}/healthz`,
  rebound: 'http://rebound.example:81/',
}
const found: Record<string, unknown> = {}
for (const name of ['egress', 'listed', 'none', 'host']) {
  const session = await openSession(`http://127.0.0.1:${port}/mcp/${name}`)
  const tried: Record<string, string> = {}
  for (const [what, url] of Object.entries(TARGETS)) {
    const script = `fetch('${url}', { signal: AbortSignal.timeout(5000) })
      .then((r) => r.text()).then((t) => console.log('GOT ' + t.slice(0, 9)), () => console.log('REFUSED'))`
    tried[what] = JSON.parse(await session.callText('node', { script })).said.trim()
  }
  // Without the proxy there is nothing at all.
  const script = `import socket
try:
    socket.create_connection(('1.2.3.4', 80), timeout=2); print('GOT')
except OSError as e:
    print('REFUSED')`
  tried.direct = JSON.parse(await session.callText('python', { script })).said.trim()
  found[name] = tried
  await session.end()
}
const metrics = await raw(String(gateway.logs.find(({ msg }) => msg === 'listening')?.metricsUrl))
const told = gateway.logs.filter(({ tool: of, host }) => of === 'egress' && host !== undefined)
const { cell } = await toolView({ ...gateway, url: `http://127.0.0.1:${port}` }, 'host')
const counted = /mcp_gateway_egress_total\{[^}]*tool="egress"[^}]*\} \d+/.test(metrics.text)
console.log(JSON.stringify({ found, logged: told.length > 0, counted, host: cell }))
for (const end of ends) await end()
for (const server of servers) server.close()

function listening(host: string, at: number): Promise<Server> {
  const server = createServer((_, response) => response.end(`from ${host}`))
  return new Promise((resolve) => server.listen(at, host, () => resolve(server)))
}
