import { stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Config } from '../../config/config.ts'
import { followPath, holds, lookOnce } from '../cell/paths.ts'
import { usualSockets } from './address.ts'

/** A socket of an engine, or a folder that engines keep theirs in. */
export interface EnginePlace {
  /** Without links; it need not be there yet. */
  readonly path: string
  /** Device and inode, since it may have other names; null: it is not there. */
  readonly identity: string | null
}

interface EnginesConfig {
  readonly engine: { readonly socket: string | null }
  readonly environment: Config['environment']
}

/** Whoever reaches one of these controls the whole machine: they are given to no tool. */
export async function enginePlaces(
  config: EnginesConfig,
  look = lookOnce(),
): Promise<EnginePlace[]> {
  const found = engineSockets(config).map(async (path) => {
    const { real, there } = await followPath(path, look)
    return { path: real, identity: there ? await identify(real) : null }
  })
  return Promise.all(found)
}

/** Whether a path without links is, holds or lies in one of them, or is one by another name. */
export async function reachesEngine(
  path: string,
  engines: readonly EnginePlace[],
): Promise<boolean> {
  if (engines.some((each) => holds(path, each.path) || holds(each.path, path))) return true
  const known = engines.flatMap(({ identity }) => identity ?? [])
  return known.length > 0 && known.includes((await identify(path)) ?? '')
}

/** That which is configured, and all that Docker, Podman and what they are made of listen at. */
function engineSockets({ engine, environment }: EnginesConfig): string[] {
  const { DOCKER_HOST, CONTAINER_HOST, XDG_RUNTIME_DIR, HOME } = environment
  const named = [engine.socket, ...[DOCKER_HOST, CONTAINER_HOST].map(socketIn)]
  const below = (folder: string | undefined, names: readonly string[]) =>
    folder === undefined || folder === '' ? [] : names.map((name) => join(folder, name))
  const all = [
    ...named.filter((path) => typeof path === 'string'),
    ...usualSockets(environment),
    ...OF_ROOT,
    ...below(XDG_RUNTIME_DIR, OF_USER),
    ...below(HOME, OF_HOME),
  ]
  return [...new Set(all.filter((path) => path.startsWith('/') && dirname(path) !== path))]
}

const OF_ROOT = [
  '/run/docker.sock',
  '/run/docker',
  '/run/containerd',
  '/run/podman',
  '/run/crio',
  '/run/k3s',
  '/run/buildkit',
  '/run/cri-dockerd.sock',
]

/** Where engines without root listen. */
const OF_USER = ['docker.sock', 'docker', 'podman', 'containerd', 'containerd-rootless', 'buildkit']

const OF_HOME = ['.docker/run', '.docker/desktop', '.colima', '.rd/docker.sock', '.orbstack/run']

function socketIn(host: string | undefined): string | null {
  return host?.replace(/^unix:\/\//, '') ?? null
}

async function identify(path: string): Promise<string | null> {
  const found = await stat(path, { bigint: true }).catch(() => undefined)
  return found === undefined ? null : `${found.dev}:${found.ino}`
}
