import { realpath, stat } from 'node:fs/promises'
import type { MountSettings } from 'dockerode'
import type { Config } from '../../config/config.ts'
import { ToolgateError } from '../../errors.ts'
import type { Policy } from '../../tool/declaration.ts'
import { filesView, WORKSPACE } from '../cell/native.ts'
import { followPath } from '../cell/paths.ts'
import type { Mount } from '../cell/view.ts'
import type { Engine } from './engine.ts'
import { enginePlaces, reachesEngine } from './sockets.ts'

/**
 * What of this machine a container sees: its folder of the workspace, and what its file names:
 * `granted`, where that was resolved and checked already. Rejects with `tool_failed_to_start` for
 * what is, or holds, the socket of an engine: whoever reaches that controls the whole machine.
 */
export async function mountsOf(
  { workspace, files }: Pick<Policy, 'workspace' | 'files'>,
  folder: string | null,
  engine: Engine,
  environment: Config['environment'],
  granted?: readonly Mount[],
): Promise<MountSettings[]> {
  const wanted: readonly Mount[] = [
    ...(folder === null ? [] : [await workspaceMount(folder, workspace.access)]),
    ...(granted ?? (await followAll(files))),
  ]
  const engines = await enginePlaces({ engine, environment })
  const mounts: MountSettings[] = []
  for (const { kind, source, target } of wanted) {
    if ((await stat(source).catch(() => undefined)) === undefined)
      throw refusal(`policy.files names ${target}, which is not there`)
    if (await reachesEngine(source, engines)) {
      const why = 'is or holds the socket of a container engine, which is never mounted'
      throw refusal(`${target} ${why}`)
    }
    const readOnly = kind === 'read-only'
    // Before 1.44 what is mounted below a read-only folder could be written to; Docker promises more.
    const deep = engine.facts.api >= 44 && !engine.facts.podman
    const shallow = readOnly && !deep ? { NonRecursive: true } : {}
    mounts.push({
      Type: 'bind',
      Source: source,
      Target: target,
      ReadOnly: readOnly,
      BindOptions: { Propagation: 'rprivate', ...shallow },
    } as MountSettings)
  }
  return mounts
}

async function workspaceMount(folder: string, access: Policy['workspace']['access']) {
  const source = await realpath(folder).catch(() => folder)
  const kind = access === 'read-write' ? 'read-write' : 'read-only'
  return { kind, source, target: WORKSPACE } as const
}

async function followAll(files: Policy['files']): Promise<Mount[]> {
  const views = filesView({ files }).map(async (mount) => {
    const { real } = await followPath(mount.source)
    return { ...mount, source: real }
  })
  return Promise.all(views)
}

function refusal(why: string): ToolgateError {
  return new ToolgateError('tool_failed_to_start', `The tool could not be started: ${why}.`)
}
