import { readdirSync } from 'node:fs'
import { basename, extname } from 'node:path'
import type { Gateway } from './gateway.ts'
import { raw } from './raw.ts'
import type { Json } from './session.ts'
import { until } from './until.ts'

/** What the catalogue shows of a tool. */
export async function toolView(gateway: Gateway, tool: string): Promise<Json> {
  return (await raw(`${gateway.url}/v1/tools/${tool}`)).json()
}

/** Waits until a tool is read and its functions are known, as the version with `description`. */
export async function toolReady(
  gateway: Gateway,
  tool: string,
  description?: string,
): Promise<void> {
  await until(`${tool} to be ready`, async () => {
    const view = await toolView(gateway, tool)
    return view.state === 'ready' && (description ?? view.description) === view.description
  })
}

/**
 * Waits until it is known of every tool what it is, or that it cannot be known, and the processes
 * that were asked are gone: from then on each process is somebody's. For before anything is called.
 */
export async function allLearned(gateway: Gateway): Promise<void> {
  const files = readdirSync(gateway.tools.dir).filter((file) => /^[^_.].*\.[jt]s$/.test(file))
  for (const tool of files.map((file) => basename(file, extname(file)))) {
    const isKnown = async () => {
      const { state } = await toolView(gateway, tool)
      return state !== 'loading' && state !== 'learning'
    }
    await until(`${tool} to be learned`, isKnown, 60_000)
  }
  await until('what was asked to be gone', () => gateway.processes().length === 0)
}

/** How many processes of a tool were started so far, as the log has it. */
export function starts(gateway: Gateway, tool: string): number {
  return gateway.logs.filter((line) => line.tool === tool && line.msg === 'instance started').length
}

/** A function of a tool over REST. */
export function callRest(gateway: Gateway, tool: string, name: string, args: Json = {}) {
  return raw(`${gateway.url}/v1/tools/${tool}/${name}`, { method: 'POST', body: args })
}
