import { realpath, stat } from 'node:fs/promises'
import type { MountSettings } from 'dockerode'
import type { Config } from '../../config/config.ts'
import { ToolgateError } from '../../errors.ts'
import type { Policy } from '../../tool/declaration.ts'
import { WORKSPACE } from '../cell/native.ts'
import { usualSockets } from './address.ts'
import type { Engine } from './engine.ts'

/**
 * What of this machine a container sees: its folder of the workspace, and the paths that its file
 * names. Rejects with `tool_failed_to_start` for what is, or holds, the socket of an engine:
 * whoever reaches that controls the whole machine.
 */
export async function mountsOf(
  { workspace, files }: Pick<Policy, 'workspace' | 'files'>,
  folder: string | null,
  engine: Engine,
  environment: Config['environment'],
): Promise<MountSettings[]> {
  const wanted = [
    ...(folder === null ? [] : [{ source: folder, target: WORKSPACE, access: workspace.access }]),
    ...files.read.map((path) => ({ source: path, target: path, access: 'read-only' })),
    ...files.write.map((path) => ({ source: path, target: path, access: 'read-write' })),
  ]
  const sockets = await socketsOf(engine, environment)
  const mounts: MountSettings[] = []
  for (const { source, target, access } of wanted) {
    const real = await realpath(source).catch(() => undefined)
    if (real === undefined) throw refusal(`policy.files names ${target}, which is not there`)
    if (await reaches(real, sockets)) {
      const why = 'is or holds the socket of a container engine, which is never mounted'
      throw refusal(`${target} ${why}`)
    }
    const readOnly = access === 'read-only'
    // Before 1.44 what is mounted below a read-only folder could be written to.
    const shallow = readOnly && engine.facts.api < 44 ? { NonRecursive: true } : {}
    mounts.push({
      Type: 'bind',
      Source: real,
      Target: target,
      ReadOnly: readOnly,
      BindOptions: { Propagation: 'rprivate', ...shallow },
    } as MountSettings)
  }
  return mounts
}

interface Socket {
  readonly path: string
  /** Device and inode: it may have other names. */
  readonly identity: string
}

/** Those of engines, and of what engines are made of, that are on this machine. */
async function socketsOf({ socket }: Engine, environment: Config['environment']) {
  const known = [...(socket === null ? [] : [socket]), ...usualSockets(environment), ...BELOW]
  const found: Socket[] = []
  for (const path of new Set(known)) {
    const real = await realpath(path).catch(() => undefined)
    if (real !== undefined) found.push({ path: real, identity: await identify(real) })
  }
  return found
}

const BELOW = [
  '/run/containerd/containerd.sock',
  '/run/docker/containerd/containerd.sock',
  '/run/crio/crio.sock',
]

async function reaches(path: string, sockets: readonly Socket[]): Promise<boolean> {
  const identity = await identify(path)
  const inside = path === '/' ? '/' : `${path}/`
  return sockets.some(
    (each) => each.path === path || each.path.startsWith(inside) || each.identity === identity,
  )
}

async function identify(path: string): Promise<string> {
  const { dev, ino } = await stat(path, { bigint: true })
  return `${dev}:${ino}`
}

function refusal(why: string): ToolgateError {
  return new ToolgateError('tool_failed_to_start', `The tool could not be started: ${why}.`)
}
