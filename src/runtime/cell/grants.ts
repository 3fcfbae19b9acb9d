import { realpath } from 'node:fs/promises'
import type { Config } from '../../config/config.ts'
import type { Policy } from '../../tool/declaration.ts'

/** What no tool's file can give: where it lies, in words, and whether even to be read. */
interface Kept {
  readonly path: string
  readonly what: string
  readonly reading: boolean
}

/**
 * Why paths of `policy.files` cannot be given; nothing where they can. What counts is where they
 * lead: a link to something that is kept, or a folder that holds it, is no better.
 */
export async function refusedFiles(
  { files: { read, write } }: Pick<Policy, 'files'>,
  config: Pick<Config, 'workspace' | 'cache' | 'tools' | 'engine' | 'environment'>,
): Promise<string[]> {
  const asked = [
    ...read.map((path, index) => ({ path, key: `policy.files.read[${index}]`, reading: true })),
    ...write.map((path, index) => ({ path, key: `policy.files.write[${index}]`, reading: false })),
  ]
  if (asked.length === 0) return []
  const kept = await real(keptPlaces(config))
  const found = await Promise.all(
    asked.map(async ({ path, key, reading }) => {
      const leads = await realpath(path).catch(() => undefined)
      if (leads === undefined) return `${key} is not there`
      const meets = kept.find(
        (each) =>
          (each.reading || !reading) && (holds(leads, each.path) || holds(each.path, leads)),
      )
      return meets && `${key} is, holds or lies in ${meets.what}, which no tool is given`
    }),
  )
  return found.filter((refusal) => refusal !== undefined)
}

function keptPlaces(config: Parameters<typeof refusedFiles>[1]): Kept[] {
  const { workspace, cache, tools, engine, environment } = config
  const runtime = environment.XDG_RUNTIME_DIR
  const sockets = [
    engine.socket,
    environment.DOCKER_HOST?.replace(/^unix:\/\//, ''),
    ...['/var/run/docker.sock', '/run/containerd', '/run/podman', '/run/crio'],
    ...(runtime ? [`${runtime}/docker.sock`, `${runtime}/podman`] : []),
  ]
  return [
    ...['/proc', '/sys', '/dev'].map((path) => ({ path, what: 'the kernel’s own', reading: true })),
    ...sockets
      .filter((path) => path?.startsWith('/') === true)
      .map((path) => ({ path: String(path), what: 'a container engine’s socket', reading: true })),
    { path: workspace, what: 'the workspace of all tools', reading: true },
    { path: cache, what: 'the gateway’s cache', reading: true },
    { path: tools, what: 'the folder of tools', reading: false },
  ]
}

async function real(places: readonly Kept[]): Promise<Kept[]> {
  return Promise.all(
    places.map(async (kept) => ({
      ...kept,
      path: await realpath(kept.path).catch(() => kept.path),
    })),
  )
}

/** Whether `inner` is `outer`, or lies below it. */
function holds(outer: string, inner: string): boolean {
  return inner === outer || inner.startsWith(outer.endsWith('/') ? outer : `${outer}/`)
}
