import type { Duplex } from 'node:stream'
import type { Container, ContainerCreateOptions } from 'dockerode'
import type { Config } from '../../config/config.ts'
import { ToolgateError } from '../../errors.ts'
import { GATEWAY, MARK, markOf } from '../../mark.ts'
import type { Declaration } from '../../tool/declaration.ts'
import { boundsOf } from '../cell/bounds.ts'
import { WORKSPACE } from '../cell/native.ts'
import { type ProcessOptions, ToolProcess } from '../process.ts'
import type { StartOptions } from '../starting.ts'
import { userOf } from '../users.ts'
import { openWorkspace } from '../workspace.ts'
import { attach, streamsOf } from './attach.ts'
import type { ContainerCell } from './cell.ts'
import { ask, type Engine, findEngine, startFailure } from './engine.ts'
import { cellHere } from './here.ts'
import { findImage, type Image } from './image.ts'
import { watchMemory } from './memory-events.ts'
import { ContainerMeter } from './meter.ts'
import { mountsOf } from './mounts.ts'
import { connectNetwork } from './network.ts'
import { watchOwn } from './reap.ts'
import { owned, removeContainer } from './remove.ts'
import { RunningContainer } from './running.ts'
import { tmpfsOf } from './tmpfs.ts'
import { folderUser, userIn } from './user.ts'
import { watchExit } from './wait.ts'

export interface ContainerOptions extends ProcessOptions {
  readonly config: Config
  readonly egress: StartOptions['egress']
  readonly owner: StartOptions['owner'] | undefined
  /** Secrets and trace context. */
  readonly variables: Readonly<Record<string, string>>
}

/** What is known of an instance, besides its tool's file. */
interface Instance {
  readonly engine: Engine
  readonly image: Image
  readonly cell: ContainerCell
  readonly mounts: Awaited<ReturnType<typeof mountsOf>>
  readonly network: Awaited<ReturnType<typeof connectNetwork>>
  readonly user: string
}

/**
 * Starts a container of an image that is there: `image` is its id. Rejects with
 * `tool_failed_to_start`, and with `no_cell` where the engine does not answer or cannot keep the
 * tool from what it is not given; leaves nothing then.
 */
export async function startContainer(
  tool: Declaration,
  image: { readonly program: string; readonly args: readonly string[] },
  options: ContainerOptions,
): Promise<ToolProcess> {
  const { config, log, fields } = options
  const engine = await findEngine(config)
  const undo: (() => Promise<unknown>)[] = []
  const release = async () => {
    for (const step of undo.splice(0).reverse()) await step()
  }
  try {
    const instance = await prepare(tool, image.program, engine, options, undo)
    log.debug({ ...fields, image: instance.image.digest }, 'container is being created')
    return await run(tool, image.args, instance, options, undo, release)
  } catch (error) {
    if (!(error instanceof ToolgateError)) log.error({ ...fields, err: error }, 'no container')
    await release()
    throw startFailure(error, engine)
  }
}

/** All that has to be there before the container is; how to take it away again goes to `undo`. */
async function prepare(
  tool: Declaration,
  id: string,
  engine: Engine,
  { config, egress, owner, log }: ContainerOptions,
  undo: (() => Promise<unknown>)[],
): Promise<Instance> {
  const { policy, name } = tool
  const [image, own] = await Promise.all([findImage(engine, id), userOf(name, config)])
  if (image === undefined) {
    const message = 'The tool could not be started: its image is not there any more.'
    throw new ToolgateError('tool_failed_to_start', message)
  }
  const cell = await cellHere(tool, config, engine, image.digest)
  if (cell.refusals.length > 0) {
    const message = `The tool could not be started: ${cell.refusals.join('; ')}.`
    throw new ToolgateError('no_cell', message)
  }
  const workspace = await openWorkspace({
    root: config.workspace,
    tool: name,
    workspace: policy.workspace,
    owner,
    user: folderUser(policy, own),
    log,
  })
  undo.push(() => workspace.release())
  const mounts = await mountsOf(policy, workspace.folder, engine, config.environment)
  if (mounts.length > 0 && engine.socket === null) {
    const message =
      'The tool could not be started: the container engine is reached over TCP, ' +
      'and has no files of this machine to give it.'
    throw new ToolgateError('no_cell', message)
  }
  const network = await connectNetwork(tool, engine, egress, config)
  undo.push(() => network.release())
  const user = userIn(policy, { own, facts: engine.facts, image, cells: config.cells })
  return { engine, image, cell, mounts, network, user }
}

/** Created, attached, waited for and started: in this order nothing of it can be missed. */
async function run(
  tool: Declaration,
  args: readonly string[],
  instance: Instance,
  options: ContainerOptions,
  undo: (() => Promise<unknown>)[],
  release: () => Promise<void>,
): Promise<ToolProcess> {
  const { engine, image } = instance
  const { config, fields } = options
  const name = `toolgate-${markOf(fields.instance)}`
  owned.add(name)
  watchOwn(config)
  let id: string | undefined
  undo.push(() => removeContainer(engine, name, config, id))
  const spec = specOf(tool, args, instance, options)
  const { connection, code, container } = await start(engine, name, spec, config.timeouts.start)
  id = container.id
  undo.push(async () => connection.destroy())
  const pid = await pidOf(engine, container)
  const meter = new ContainerMeter(engine, container.id)
  const members = new RunningContainer({
    engine,
    id: container.id,
    code,
    detached: new Promise((resolve) => connection.once('close', resolve)),
    memory: boundsOf(tool.policy, config.cells).memory,
    remove: release,
  })
  options.log.info({ ...fields, image: image.digest, container: container.id }, 'container started')
  return new ToolProcess(options, {
    pid,
    stdio: {
      ...streamsOf(connection, () => meter.looked(), members.exited),
      once: (_event, listener) => members.exited.then((exit) => listener(...exit)),
    },
    members,
    meter,
    blame: () => members.blame(),
  })
}

async function start(
  engine: Engine,
  name: string,
  spec: ContainerCreateOptions,
  patience: number,
): Promise<{ connection: Duplex; code: Promise<number>; container: Container }> {
  const { docker } = engine
  const late = new AbortController()
  const timer = setTimeout(() => late.abort(new Error('no answer in time')), patience)
  try {
    // Named apart: by default the whole of it, with what is secret, would be in the URL, too.
    const asked = { _query: { name }, _body: spec } as unknown as ContainerCreateOptions
    const container = await ask(docker.createContainer(asked), patience)
    await watchMemory(engine)
    const connection = await attach(docker, container.id, late.signal)
    connection.on('error', () => {})
    try {
      const { code } = await watchExit(docker, container.id)
      await ask(container.start(), patience)
      return { connection, code, container }
    } catch (error) {
      connection.destroy()
      throw error
    }
  } finally {
    clearTimeout(timer)
  }
}

/** What the engine is told of this instance. */
function specOf(
  tool: Declaration,
  args: readonly string[],
  { image, cell, mounts, network, user }: Instance,
  { config, fields, variables }: ContainerOptions,
): ContainerCreateOptions {
  const { policy } = tool
  const home = policy.workspace.access === 'read-write' ? WORKSPACE : '/tmp'
  const mark = markOf(fields.instance)
  const env: Record<string, string> = { HOME: home, ...network.variables }
  for (const each of policy.env) env[each] = config.environment[each] ?? ''
  for (const each of policy.env) if (config.environment[each] === undefined) delete env[each]
  Object.assign(env, variables, { [MARK]: mark })
  // An engine would make these folders of the disk, without a bound.
  const volumes = image.volumes.filter((path) => !mounts.some(({ Target }) => Target === path))
  const places = [...volumes, ...policy.container.tmpfs]
  return {
    Image: image.id,
    ...(args.length > 0 && { Cmd: args.map((arg) => arg.replaceAll('{workspace}', WORKSPACE)) }),
    Env: Object.entries(env).map(([key, value]) => `${key}=${value}`),
    Labels: {
      'toolgate.instance': mark,
      'toolgate.gateway': GATEWAY,
      'toolgate.tool': tool.name,
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
      Tmpfs: tmpfsOf(places, config.cells.tmp, user),
      Mounts: mounts,
    },
  }
}

/** Of its first process on this host; 0 where it may be another machine's. */
async function pidOf(engine: Engine, container: Container): Promise<number> {
  if (engine.socket === null || process.platform !== 'linux') return 0
  const { State } = await ask(container.inspect())
  return State.Pid
}
