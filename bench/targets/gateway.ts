import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Server, startServer, urlOfListening } from './server.ts'

/** How long a broken session is kept for its client, in s. */
export const RESUME = 5

/** Tools of which one process serves everybody. */
const SHARED = new Set(['shared', 'modern'])

/**
 * Starts the gateway whose entry file ends `entry`, which may begin with flags of Node, over tools
 * given by their commands. What it keeps is in `folder`.
 */
export async function startGateway(
  entry: readonly string[],
  folder: string,
  tools: Readonly<Record<string, readonly string[]>>,
): Promise<Server> {
  const [config, files, workspace, cache] = ['gateway.yaml', 'tools.d', 'workspace', 'cache'].map(
    (name) => join(folder, name),
  ) as [string, string, string, string]
  await mkdir(files, { recursive: true })
  await mkdir(workspace, { recursive: true })
  await writeFile(
    config,
    `cache: ${JSON.stringify(cache)}\nsessions: { resume: ${RESUME}s, idle: 10m, max: 1000 }\n`,
  )
  for (const [name, command] of Object.entries(tools)) {
    await writeFile(join(files, `${name}.ts`), sourceOf(name, command, SHARED.has(name)))
  }
  const places = ['--config', config, '--tools', files, '--workspace', workspace]
  const ports = ['--port', '0', '--metrics-port', '0']
  return startServer([...entry, 'serve', ...ports, ...places], urlOfListening)
}

// A limit is on, as by default, but so high that it is the bench which ends first.
function sourceOf(name: string, command: readonly string[], shared: boolean): string {
  return `import { command, defineTool } from 'toolgate'

export default defineTool({
  description: 'The tool ${name} of the bench.',
  runtime: command(${command.map((part) => JSON.stringify(part)).join(', ')}),
  policy: { sandbox: 'none' },
  mode: '${shared ? 'daemon' : 'launcher'}',
  timeout: '60s',
  limits: { calls: 100000000, per: '1m', burst: 1 },
})
`
}
