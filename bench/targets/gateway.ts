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
export function startGateway(
  entry: readonly string[],
  folder: string,
  tools: Readonly<Record<string, readonly string[]>>,
): Promise<Server> {
  const files = Object.entries(tools).map(([name, command]) => {
    const mode = SHARED.has(name) ? 'daemon' : 'launcher'
    const options = { policy: { sandbox: 'none' }, mode }
    return [name, sourceOf(name, runtimeOf('command', command), options)]
  })
  return startGatewayOver(entry, folder, Object.fromEntries(files))
}

/** The same over tools given by their files, with more lines of configuration. */
export async function startGatewayOver(
  entry: readonly string[],
  folder: string,
  sources: Readonly<Record<string, string>>,
  keys: readonly string[] = [],
): Promise<Server> {
  const [config, files, workspace, cache] = ['gateway.yaml', 'tools.d', 'workspace', 'cache'].map(
    (name) => join(folder, name),
  ) as [string, string, string, string]
  await mkdir(files, { recursive: true })
  await mkdir(workspace, { recursive: true })
  const sessions = `sessions: { resume: ${RESUME}s, idle: 10m, max: 1000 }`
  const lines = [`cache: ${JSON.stringify(cache)}`, sessions, ...keys]
  await writeFile(config, `${lines.join('\n')}\n`)
  for (const [name, source] of Object.entries(sources)) {
    await writeFile(join(files, `${name}.ts`), source)
  }
  const places = ['--config', config, '--tools', files, '--workspace', workspace]
  const ports = ['--port', '0', '--metrics-port', '0']
  return startServer([...entry, 'serve', ...ports, ...places], urlOfListening)
}

/** A runtime as it is written in a tool's file. */
export function runtimeOf(kind: 'command' | 'container', words: readonly string[]): string {
  return `${kind}(${words.map((word) => JSON.stringify(word)).join(', ')})`
}

/**
 * A tool's file. A limit is on, as by default, but so high that it is the bench which ends first.
 */
export function sourceOf(name: string, runtime: string, options: object): string {
  const [kind] = runtime.split('(')
  const more = Object.entries(options).map(([key, value]) => `  ${key}: ${JSON.stringify(value)},`)
  return `import { ${kind}, defineTool } from 'toolgate'

export default defineTool({
  description: 'The tool ${name} of the bench.',
  runtime: ${runtime},
${more.join('\n')}
  timeout: '60s',
  limits: { calls: 100000000, per: '1m', burst: 1 },
})
`
}
