import type { ContainerCreateOptions, MountSettings } from 'dockerode'
import type { Config } from '../../config/config.ts'
import { GATEWAY, MARK } from '../../mark.ts'
import type { Declaration } from '../../tool/declaration.ts'
import { WORKSPACE } from '../cell/native.ts'
import type { ContainerCell } from './cell.ts'
import type { Engine } from './engine.ts'
import type { Image } from './image.ts'
import { LABEL } from './labels.ts'
import type { Connected } from './network.ts'
import { tmpfsOf } from './tmpfs.ts'

/** What an instance is made of, and where it is put. */
export interface Placed {
  readonly engine: Engine
  readonly image: Image
  readonly cell: ContainerCell
  readonly mounts: MountSettings[]
  readonly network: Connected
  /** As the engine names it, such as `1000:1000`. */
  readonly user: string
}

export interface SpecOptions {
  readonly config: Config
  readonly mark: string
  /** Secrets and trace context. */
  readonly variables: Readonly<Record<string, string>>
}

/** What the engine is told of this instance. */
export function specOf(
  tool: Declaration,
  args: readonly string[],
  { engine, image, cell, mounts, network, user }: Placed,
  { config, mark, variables }: SpecOptions,
): ContainerCreateOptions {
  const { policy } = tool
  const { podman } = engine.facts
  const home = policy.workspace.access === 'read-write' ? WORKSPACE : '/tmp'
  const passed = policy.env.map((name) => [name, config.environment[name]] as const)
  const env = {
    HOME: home,
    ...network.variables,
    ...Object.fromEntries(passed.filter(([, value]) => value !== undefined)),
    ...variables,
    [MARK]: mark,
  }
  // An engine would make these folders of the disk, without a bound.
  const tmpfs = tmpfsOf(policy.container, image.volumes, { size: config.cells.tmp, user, podman })
  const taken = new Set(mounts.map(({ Target }) => Target))
  return {
    Image: image.id,
    ...(args.length > 0 && { Cmd: args.map((arg) => arg.replaceAll('{workspace}', WORKSPACE)) }),
    Env: Object.entries(env).map(([key, value]) => `${key}=${value}`),
    Labels: {
      [LABEL.instance]: mark,
      [LABEL.gateway]: GATEWAY,
      [LABEL.tool]: tool.name,
    },
    User: user,
    Hostname: 'tool',
    ...(policy.workspace.access !== 'none' && { WorkingDir: WORKSPACE }),
    AttachStdin: true,
    AttachStdout: true,
    AttachStderr: true,
    OpenStdin: true,
    StdinOnce: true,
    Tty: false,
    Healthcheck: { Test: ['NONE'] },
    HostConfig: {
      ...cell.host,
      ...(cell.host.NetworkMode === undefined && { NetworkMode: network.mode }),
      Tmpfs: Object.fromEntries(Object.entries(tmpfs).filter(([path]) => !taken.has(path))),
      Mounts: mounts,
    },
  }
}
