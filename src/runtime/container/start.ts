import type { Duplex } from 'node:stream'
import type Docker from 'dockerode'
import type { Container, ContainerCreateOptions } from 'dockerode'
import type { Config } from '../../config/config.ts'
import { ToolgateError } from '../../errors.ts'
import { markOf } from '../../mark.ts'
import type { Declaration } from '../../tool/declaration.ts'
import { boundsOf } from '../cell/bounds.ts'
import { refuseWithout } from '../cell/refuse.ts'
import { watchDisk } from '../limits/disk.ts'
import { type ProcessOptions, ToolProcess } from '../process.ts'
import { checkWanted, type StartOptions } from '../starting.ts'
import { userOf } from '../users.ts'
import { openWorkspace } from '../workspace.ts'
import { attach, streamsOf } from './attach.ts'
import { ask, type Engine, findEngine, startFailure, statusOf } from './engine.ts'
import { cellHere } from './here.ts'
import { findImage } from './image.ts'
import { watchMemory } from './memory-events.ts'
import { ContainerMeter } from './meter.ts'
import { mountsOf } from './mounts.ts'
import { connectNetwork } from './network.ts'
import { watchOwn } from './reap.ts'
import { disown, type Making, owned, removeContainer } from './remove.ts'
import { RunningContainer } from './running.ts'
import { placeFilter } from './seccomp.ts'
import { type Placed, specOf } from './spec.ts'
import { noteMaking, noteUse } from './used.ts'
import { folderUser, userIn } from './user.ts'
import { watchExit } from './wait.ts'

export interface ContainerOptions extends ProcessOptions {
  readonly config: Config
  readonly egress: StartOptions['egress']
  readonly owner: StartOptions['owner'] | undefined
  readonly signal: StartOptions['signal'] | undefined
  /** Secrets and trace context. */
  readonly variables: Readonly<Record<string, string>>
}

/** What is known of an instance, besides its tool's file. */
interface Instance extends Placed {
  /** A folder that it may write to, and the most bytes that it may hold; null: there is none. */
  readonly disk: { readonly folder: string; readonly most: number } | null
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
  const { config, log, fields, signal } = options
  const mark = markOf(fields.instance)
  // From here on it is waited for where the gateway ends, and all that is made for it.
  owned.add(mark)
  const undo: (() => Promise<unknown>)[] = [async () => disown(mark)]
  const release = async () => {
    for (const step of undo.splice(0).reverse()) await step()
  }
  let engine: Engine | undefined
  try {
    checkWanted(signal)
    engine = await findEngine(config)
    await noteUse(config.cache)
    await placeFilter(engine.facts, config.cache)
    const instance = await prepare(tool, image.program, engine, options, undo)
    checkWanted(signal)
    log.debug({ ...fields, image: instance.image.digest }, 'container is being created')
    return await run(tool, image.args, instance, options, undo, release)
  } catch (error) {
    if (!(error instanceof ToolgateError)) log.error({ ...fields, err: error }, 'no container')
    await release()
    throw engine === undefined ? error : startFailure(error, engine)
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
  refuseWithout(cell.refusals)
  const workspace = await openWorkspace({
    root: config.workspace,
    tool: name,
    workspace: policy.workspace,
    owner,
    user: folderUser(policy, own),
    log,
  })
  undo.push(() => workspace.release())
  const mounts = await mountsOf(policy, workspace.folder, engine, config.environment, cell.files)
  if (mounts.length > 0 && engine.socket === null) {
    const message =
      'The tool could not be started: the container engine is reached over TCP, ' +
      'and has no files of this machine to give it.'
    throw new ToolgateError('no_cell', message)
  }
  const network = await connectNetwork(tool, engine, egress, config)
  undo.push(() => network.release())
  const user = userIn(policy, { own, facts: engine.facts, image, cells: config.cells })
  const { folder } = workspace
  const writes = policy.workspace.access === 'read-write' && folder !== null
  const disk = writes ? { folder, most: config.cells.disk } : null
  return { engine, image, cell, mounts, network, user, disk }
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
  const { engine, image, disk } = instance
  const { config, fields, variables } = options
  const mark = markOf(fields.instance)
  const making: Making = { mark, open: false }
  watchOwn(config)
  undo.push(() => removeContainer(engine, making, config))
  const spec = specOf(tool, args, instance, { config, mark, variables })
  const { connection, code, container } = await start(engine, making, spec, config)
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
  let overfull: string | undefined
  const process = new ToolProcess(options, {
    pid,
    stdio: {
      ...streamsOf(connection, () => meter.looked(), members.exited),
      once: (_event, listener) => members.exited.then((exit) => listener(...exit)),
    },
    members,
    meter,
    blame: () => overfull ?? members.blame(),
  })
  if (disk !== null) {
    const onBreach = (why: string) => {
      overfull = why
      members.signal('SIGKILL')
    }
    const watch = watchDisk({ ...disk, written: () => meter.usage?.written ?? null, onBreach })
    undo.push(async () => watch.close())
  }
  return process
}

async function start(
  engine: Engine,
  making: Making,
  spec: ContainerCreateOptions,
  { cache, timeouts: { start: patience } }: Pick<Config, 'cache' | 'timeouts'>,
): Promise<{ connection: Duplex; code: Promise<number>; container: Container }> {
  const { docker } = engine
  const late = new AbortController()
  const timer = setTimeout(() => late.abort(new Error('no answer in time')), patience)
  try {
    // An answer that is cut off ends neither by itself nor by the signal.
    const container = await ask(make(docker, making, spec, cache, late.signal), patience)
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

async function make(
  docker: Docker,
  making: Making,
  spec: ContainerCreateOptions,
  cache: string,
  abortSignal: AbortSignal,
): Promise<Container> {
  await noteMaking(cache, making.mark)
  making.open = true
  try {
    // Named apart: by default the whole of it, with what is secret, would be in the URL, too.
    const asked = { _query: { name: `toolgate-${making.mark}` }, _body: spec, abortSignal }
    const container = await docker.createContainer(asked as unknown as ContainerCreateOptions)
    making.id = container.id
    await noteMaking(cache, making.mark, container.id)
    return container
  } catch (error) {
    making.open = mayHeed(error)
    throw error
  }
}

/** Whether an engine that was asked like this may do it all the same. */
function mayHeed(error: unknown): boolean {
  const status = statusOf(error)
  // Of those in between a proxy speaks, which gives up before the engine does.
  if (status !== undefined) return status > 501 && status < 505
  return !UNHEARD.has((error as NodeJS.ErrnoException).code)
}

/** Nothing was sent. */
const UNHEARD = new Set<string | undefined>(['ECONNREFUSED', 'ENOENT', 'EACCES'])

/** Of its first process on this host; 0 where it may be another machine's. */
async function pidOf(engine: Engine, container: Container): Promise<number> {
  if (engine.socket === null || process.platform !== 'linux') return 0
  const { State } = await ask(container.inspect())
  return State.Pid
}
