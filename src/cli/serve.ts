import type { Config } from '../config/config.ts'
import { loadConfig } from '../config/load.ts'
import type { Gateway } from '../gateway.ts'
import { closeInherited } from '../runtime/descriptors.ts'
import { VERSION } from '../version.ts'
import { CONFIG_FLAGS, CONFIG_HELP, refuseRest, splitArguments } from './arguments.ts'
import { type Ending, firstEnding } from './ending.ts'

export const help = `Usage: toolgate serve [options]

Serves every tool of the tools folder. Once it serves, it writes one JSON line to stdout with
"msg":"listening" and "url". Ctrl-C lets running calls finish; a second one does not.

${CONFIG_HELP}`

export async function run(args: readonly string[]): Promise<number> {
  closeInherited()
  const { flags, positionals } = splitArguments(args, CONFIG_FLAGS)
  const { config, file, warnings } = await loadConfig({ flags })
  refuseRest(positionals)
  const { createTelemetry } = await import('../telemetry/setup.ts')
  const telemetry = createTelemetry(config)
  const { log } = telemetry
  const ending = firstEnding(log)
  for (const warning of warnings) log.warn({}, warning)
  try {
    const { createGateway } = await import('../gateway.ts')
    const gateway = await createGateway(config, { telemetry })
    const { url, metricsUrl } = gateway
    const line = { url, metricsUrl, pid: process.pid, version: VERSION, config: file }
    log.info(line, 'listening')
    // The line is the answer to having been started, whatever level was asked for.
    if (config.log.level === 'warn' || config.log.level === 'error')
      console.log(JSON.stringify({ level: 'info', ...line, msg: 'listening' }))
    if (process.stderr.isTTY) {
      const { greet } = await import('./greeting.ts')
      void greet(gateway)
    }
    return await close(gateway, await ending, config)
  } catch (error) {
    return explain(error, config)
  } finally {
    await telemetry.close()
  }
}

async function close(gateway: Gateway, { reason, code }: Ending, config: Config): Promise<number> {
  const closed = gateway.close(reason)
  // After an error nobody caught, calls may never end: only the processes are waited for.
  if (code !== 0) await Promise.race([closed, after(config.timeouts.stdin + config.timeouts.term)])
  else await closed
  return code
}

function after(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}

/** An address that cannot be had is the reader's to change; anything else is thrown on. */
function explain(error: unknown, { listen }: Config): number {
  const { code, address, port } = error as NodeJS.ErrnoException & {
    readonly address?: string
    readonly port?: number
  }
  const why = code === undefined ? undefined : UNAVAILABLE[code]
  if (why === undefined) throw error
  const key = port === listen.port ? 'listen.port (--port)' : 'listen.metrics (--metrics-port)'
  console.error(`${key}: ${address ?? listen.host}:${port} ${why}`)
  return 1
}

const UNAVAILABLE: Readonly<Record<string, string>> = {
  EADDRINUSE: 'is taken by another process',
  EACCES: 'may not be used by this user',
  EADDRNOTAVAIL: 'is no address of this machine',
  ENOTFOUND: 'is no address that is known here',
}
