import { join, resolve } from 'node:path'
import type { Config } from '../../config/config.ts'
import { type EnginePlace, enginePlaces, reachesEngine } from '../container/sockets.ts'
import { followPath, holds, lookOnce } from './paths.ts'

export type GatewayPlaces = Pick<Config, 'workspace' | 'cache' | 'tools' | 'engine' | 'environment'>

/** What no tool is given, by its file or with its program. */
export interface Kept {
  readonly places: readonly KeptPlace[]
  readonly engines: readonly EnginePlace[]
}

interface KeptPlace {
  /** Without links. */
  readonly path: string
  /** In words. */
  readonly what: string
  /** Whether even from being read. */
  readonly reading: boolean
}

/** Looks where it lies at this moment; a start looks once for all that it asks. */
export type LookKept = () => Promise<Kept>

export function lookKept(config: GatewayPlaces): LookKept {
  let kept: Promise<Kept> | undefined
  return () => (kept ??= keptPlaces(config))
}

/** Where all that is lies, links followed; without a configuration the gateway's own code alone. */
export async function keptPlaces(config?: GatewayPlaces): Promise<Kept> {
  const look = lookOnce()
  const [engines, ...places] = await Promise.all([
    config === undefined ? [] : enginePlaces(config, look),
    ...[...(config === undefined ? [] : configured(config)), ...OWN].map(async (place) => ({
      ...place,
      path: (await followPath(place.path, look)).real,
    })),
  ])
  return { places, engines }
}

/** What of it a path without links is, holds or lies in, in words; undefined: it can be given. */
export async function keptFrom(
  path: string,
  reading: boolean,
  { places, engines }: Kept,
): Promise<string | undefined> {
  const kernel = KERNEL.some((each) => holds(each, path) || holds(path, each))
  if (kernel) return 'the kernel’s own'
  if (await reachesEngine(path, engines)) return 'a container engine’s socket'
  const concerned = places.filter((each) => each.reading || !reading)
  return concerned.find((each) => holds(path, each.path) || holds(each.path, path))?.what
}

/** Whether a folder holds anything that is kept, were it only from writing, or lies in a secret. */
export async function liesAround(folder: string, kept: Kept): Promise<boolean> {
  if (kept.places.some(({ path }) => holds(folder, path))) return true
  return (await keptFrom(folder, true, kept)) !== undefined
}

const KERNEL = ['/proc', '/sys', '/dev']

function configured({ workspace, cache, tools }: GatewayPlaces): KeptPlace[] {
  return [
    { path: workspace, what: 'the workspace of all tools', reading: true },
    { path: cache, what: 'the gateway’s cache', reading: true },
    { path: tools, what: 'the folder of tools', reading: false },
  ]
}

const ROOT = resolve(import.meta.dirname, '../../..')

/** Its packages and configuration may be links to elsewhere. */
const OWN: readonly KeptPlace[] = [
  ...[ROOT, ...['src', 'node_modules'].map((name) => join(ROOT, name))].map((path) => ({
    path,
    what: 'the gateway’s own code',
    reading: false,
  })),
  { path: join(ROOT, 'config'), what: 'the gateway’s configuration', reading: false },
]
