import { execFile } from 'node:child_process'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { promisify } from 'node:util'
import { startServer } from './server.ts'
import { type Setting, type Target, TOOLS, type ToolName } from './targets.ts'

/** Other bridges, each in its stateful mode, at the version that was current when it was added. */
const PEERS = [
  {
    name: 'supergateway',
    version: '4.0.0',
    main: 'dist/index.js',
    args: (tool: ToolName, port: number) => [
      '--stdio',
      TOOLS[tool].join(' '),
      ...['--outputTransport', 'streamableHttp', '--stateful', '--logLevel', 'none'],
      ...['--port', String(port)],
    ],
  },
  {
    name: 'mcp-proxy',
    version: '6.7.19',
    main: 'dist/bin/mcp-proxy.mjs',
    args: (tool: ToolName, port: number) => [
      ...['--server', 'stream', '--host', '127.0.0.1', '--port', String(port), '--'],
      ...TOOLS[tool],
    ],
  },
] as const

/** Peers that could be installed into the scratch folder, and why others could not. */
export async function installPeers(
  setting: Setting,
): Promise<{ peers: Target[]; skipped: string[]; versions: Record<string, string> }> {
  const found = {
    peers: [] as Target[],
    skipped: [] as string[],
    versions: {} as Record<string, string>,
  }
  for (const { name, version, main, args } of PEERS) {
    const folder = join(setting.folder, name)
    const entry = join(folder, 'node_modules', name, main)
    try {
      const install = ['install', '--prefix', folder, '--ignore-scripts', '--no-audit', '--no-fund']
      await promisify(execFile)('npm', [...install, `${name}@${version}`], { timeout: 120_000 })
      found.versions[name] = version
      found.peers.push({
        name,
        label: name,
        start: async (tool) => {
          const port = await freePort()
          const url = `http://127.0.0.1:${port}`
          const server = await startServer([entry, ...args(tool, port)], answers(url))
          return { aim: { kind: 'http', url: `${url}/mcp` }, server }
        },
      })
    } catch (error) {
      found.skipped.push(`${name}@${version}: ${(error as Error).message.split('\n')[0]}`)
    }
  }
  return found
}

async function answers(url: string): Promise<string> {
  for (const until = performance.now() + 30_000; ; await wait(50)) {
    try {
      await fetch(url)
      return url
    } catch (error) {
      if (performance.now() > until) throw error
    }
  }
}

// Peers cannot be asked which port they took, so one is tried and let go.
function freePort(): Promise<number> {
  const found = Promise.withResolvers<number>()
  const server = createServer().listen(0, '127.0.0.1', () => {
    const address = server.address()
    server.close(() => found.resolve(typeof address === 'object' && address ? address.port : 0))
  })
  server.once('error', found.reject)
  return found.promise
}
