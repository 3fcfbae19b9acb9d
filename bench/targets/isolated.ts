import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { Aim } from '../load/orders.ts'
import { type Engine, IMAGE, MAIN as IN_IMAGE, noEngine, openEngine } from './engine.ts'
import { runtimeOf, sourceOf, startGatewayOver } from './gateway.ts'
import { profilingOf, type Server } from './server.ts'
import { MAIN, MODULES, type Setting, TOOLS } from './targets.ts'

/** How server-everything comes to a client: spawned by hand, or by the gateway in one of its ways. */
export type Way =
  | 'hand'
  | 'hand-warm'
  | 'bare'
  | 'bare-warm'
  | 'celled'
  | 'celled-warm'
  | 'celled-initialized'
  | 'container'
  | 'container-warm'

/** One gateway over all the ways that this machine has. */
export interface Isolated {
  readonly server: Server
  readonly engine: Engine | null
  readonly aims: ReadonlyMap<Way, Aim>
  /** Ways that there are none of here, and why. */
  readonly absent: readonly string[]
  /** Spares of a way that are ready; null: something else of it runs, or ends. */
  spares(way: Way): Promise<number | null>
  end(): Promise<void>
}

export async function startIsolated(setting: Setting): Promise<Isolated> {
  const absent: string[] = []
  const engine = noEngine === false ? await openEngine(setting.folder) : null
  if (noEngine !== false) absent.push(`containers: ${noEngine}`)
  const ends = async () => {
    await engine?.end()
  }
  try {
    const entry = [...profilingOf(setting.profiles, 'isolated'), MAIN]
    const keys = engine === null ? [] : [`engine: { socket: ${JSON.stringify(engine.socket)} }`]
    const sources = sourcesOf(engine !== null)
    const server = await startGatewayOver(entry, join(setting.folder, 'isolated'), sources, keys)
    const end = async () => {
      await server.end()
      await ends()
    }
    try {
      const hand = { kind: 'pipes', command: TOOLS.everything } as const
      const aims = new Map<Way, Aim>([
        ['hand', hand],
        ['hand-warm', { ...hand, ahead: true }],
      ])
      for (const way of Object.keys(sources) as Way[]) {
        const why = await learned(server, way)
        if (why === null) aims.set(way, { kind: 'http', url: `${server.url}/mcp/${way}` })
        else absent.push(`${way}: ${why}`)
      }
      return { server, engine, aims, absent, end, spares: (way) => sparesOf(server, way) }
    } catch (error) {
      await server.end()
      throw error
    }
  } catch (error) {
    await ends()
    throw error
  }
}

function sourcesOf(containers: boolean): Record<string, string> {
  const native = runtimeOf('command', TOOLS.everything)
  const image = runtimeOf('container', [IMAGE, IN_IMAGE, 'stdio'])
  // It is known, and asking for it takes a start of each.
  const era = 'legacy'
  const bare = { era, policy: { sandbox: 'none' } }
  const celled = { era, policy: { files: { read: [MODULES] } } }
  const both = (name: string, runtime: string, options: object) => ({
    [name]: sourceOf(name, runtime, options),
    [`${name}-warm`]: sourceOf(`${name}-warm`, runtime, { ...options, warm: 1 }),
  })
  return {
    ...both('bare', native, bare),
    ...both('celled', native, celled),
    'celled-initialized': sourceOf('celled-initialized', native, {
      ...celled,
      warm: { spares: 1, initialized: true },
    }),
    ...(containers ? both('container', image, { era }) : {}),
  }
}

interface Shown {
  readonly state: string
  readonly sandbox: string
  readonly errors?: readonly { readonly message: string }[]
  readonly running: readonly { readonly spare?: true }[]
}

/**
 * Null once the gateway knows the tool, or why this machine has no cell for it. A cell that is there
 * and fails breaks the bench: it must not be taken for a lack of one.
 */
async function learned(server: Server, way: Way): Promise<string | null> {
  for (const until = performance.now() + 60_000; ; await wait(50)) {
    const { state, sandbox, errors: [error] = [] } = await shown(server, way)
    if (error !== undefined && sandbox === 'missing') return error.message
    if (error !== undefined) throw new Error(`${way}: ${error.message}`)
    if (state === 'ready') return null
    if (performance.now() > until) throw new Error(`${way}: not known in 60 s, but ${state}`)
  }
}

async function sparesOf(server: Server, way: Way): Promise<number | null> {
  const { running } = await shown(server, way)
  return running.every(({ spare }) => spare === true) ? running.length : null
}

async function shown({ url }: Server, way: Way): Promise<Shown> {
  const response = await fetch(`${url}/v1/tools/${way}`)
  if (!response.ok) throw new Error(`${way}: ${response.status} ${await response.text()}`)
  return (await response.json()) as Shown
}
