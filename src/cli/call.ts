import type { Config } from '../config/config.ts'
import { hostEnvironment, variable } from '../config/environment.ts'
import { loadConfig } from '../config/load.ts'
import { splitStrictly } from './arguments.ts'
import { CallFailed, callFunction, type Door, inputOf, NobodyThere } from './call-over-rest.ts'
import { UsageError } from './usage-error.ts'
import { readValues } from './values.ts'

export const help = `Usage: toolgate call TOOL FUNCTION [key=value …] [options]

Calls a function of a running gateway and prints its result as JSON. Where no gateway runs and no
--url is given, the one tool is started for this call. A value is read as the function's input
says: text stays text, numbers, booleans, lists and objects are JSON.

  --json JSON           the whole input, or the part of it that key=value does not give
  --url URL             the gateway; default: where the configuration has it (TOOLGATE_URL)
  --key KEY             an API key (TOOLGATE_KEY)
  --config FILE         the configuration; default ./config/gateway.yaml if it is there
  --tools DIR           the tools folder
  --workspace DIR       each tool has its own folder below this one
  --port PORT           port of the gateway that is looked for; 0 looks for none`

const FLAGS = { values: ['json', 'url', 'key', 'config', 'tools', 'workspace', 'port'] }

export async function run(args: readonly string[]): Promise<number> {
  const { flags, positionals, text } = splitStrictly(args, FLAGS)
  const [tool, name, ...pairs] = positionals
  if (tool === undefined || name === undefined) throw new UsageError('expected TOOL FUNCTION')
  const key = text('key') ?? variable(hostEnvironment, 'TOOLGATE_KEY')
  const named = text('url') ?? variable(hostEnvironment, 'TOOLGATE_URL')
  const call = async (door: Door) => {
    const schema = await inputOf(door, tool, name)
    return callFunction(door, tool, name, readValues(pairs, text('json'), schema))
  }
  try {
    const { json: _json, url: _url, key: _key, ...rest } = flags
    const result = named
      ? await call({ url: named, key })
      : await callHere(tool, (await loadConfig({ flags: rest })).config, key, call)
    console.log(JSON.stringify(result, null, 2))
    return 0
  } catch (error) {
    if (!(error instanceof CallFailed)) throw error
    console.error(error.message)
    return 1
  }
}

/** On the gateway that runs where the configuration says, or else on one with only this tool. */
async function callHere(
  tool: string,
  config: Config,
  key: string | undefined,
  call: (door: Door) => Promise<unknown>,
): Promise<unknown> {
  if (config.listen.port !== 0) {
    try {
      return await call({ url: urlOf(config.listen), key })
    } catch (error) {
      if (!(error instanceof NobodyThere)) throw error
    }
  }
  const { createTelemetry } = await import('../telemetry/setup.ts')
  const { createGateway } = await import('../gateway.ts')
  const listen = { ...config.listen, host: '127.0.0.1', port: 0, metrics: null }
  const alone: Config = { ...config, listen, keys: [], log: { level: 'error' } }
  // Only the result goes to stdout.
  const telemetry = createTelemetry(alone, process.stderr)
  const gateway = await createGateway(alone, { telemetry, only: tool })
  try {
    return await call({ url: gateway.url, key: undefined })
  } finally {
    await gateway.close('done')
    await telemetry.close()
  }
}

/** An address that listens everywhere is reached on this machine. */
function urlOf({ host, port }: Config['listen']): string {
  if (host === '0.0.0.0') return `http://127.0.0.1:${port}`
  if (host === '::') return `http://[::1]:${port}`
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`
}
