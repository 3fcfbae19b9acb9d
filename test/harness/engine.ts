import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import Docker from 'dockerode'
import { removeGroups } from '../../src/runtime/container/groups.ts'
import type { Owner } from './gateway.ts'
import { descendants, marked } from './processes.ts'
import { absent } from './services.ts'
import { until, within } from './until.ts'

/** For `test(title, { skip: noEngine }, …)`: why containers cannot be tested here, or false. */
export const noEngine: string | false =
  process.platform === 'linux' && process.getuid?.() === 0
    ? absent('dockerd')
    : 'an engine of its own needs Linux and root'

/** A container engine of the test's own. */
export interface TestEngine {
  readonly socket: string
  readonly docker: Docker
  /** Id of the image, by default the one that holds Node and test/fixtures, at /app. */
  readonly image: string
  /** Every container that it has, running or not. */
  containers(): Promise<Docker.ContainerInfo[]>
  /** Ends it as a crash does, and waits for that. */
  kill(): Promise<void>
  /** Starts it again. */
  restart(): Promise<void>
  /** Stops it in the middle of everything, until `SIGCONT`. */
  signal(name: NodeJS.Signals): void
}

/** The name by which tools find the image of every engine; Podman looks for others at docker.io. */
export const IMAGE = 'localhost/toolgate-test/fixtures:latest'

/**
 * Starts an engine with folders of its own and an image, that of the fixtures unless `fill` makes
 * another and tells its id; ends with its owner, and leaves nothing.
 */
export async function startEngine(owner: Owner, fill = buildImage): Promise<TestEngine> {
  const dir = mkdtempSync(join(tmpdir(), 'toolgate-engine-'))
  const socket = join(dir, 'engine.sock')
  const docker = new Docker({ socketPath: socket })
  let daemon = launch(dir, socket)
  // Of containers that it forgets in a crash the control groups stay.
  const ids = new Set<string>()
  owner.after(async () => {
    daemon.kill('SIGCONT')
    await removeNetworks(docker).catch(() => {})
    await end(daemon, dir, ids)
  })
  await answers(docker, daemon, dir)
  const image = await fill(docker, dir)
  return {
    socket,
    docker,
    image,
    containers: () => containersOf(docker),
    signal: (name) => daemon.kill(name),
    async kill() {
      daemon.kill('SIGKILL')
      await once(daemon, 'exit')
      for (const id of idsIn(dir)) ids.add(id)
      // It goes with it, and may stay as a zombie that the next one would take for running.
      await rm(join(dir, 'exec/containerd/containerd.pid'), { force: true })
    },
    async restart() {
      daemon = launch(dir, socket)
      await answers(docker, daemon, dir)
    },
  }
}

/**
 * Every container, running or not, by its labels. After a crash an engine may list one that it has
 * removed: of which nothing runs, and of whose id it knows nothing.
 */
export async function containersOf(
  docker: Docker,
  label: readonly string[] = [],
): Promise<Docker.ContainerInfo[]> {
  const listed = await docker.listContainers({ all: true, filters: { label: [...label] } })
  const isKnown = ({ Id }: Docker.ContainerInfo) =>
    docker
      .getContainer(Id)
      .inspect()
      .then(Boolean, ({ statusCode }: { statusCode?: number }) => statusCode !== 404)
  const known = await Promise.all(listed.map(isKnown))
  return listed.filter((_, at) => known[at])
}

function launch(dir: string, socket: string): ChildProcess {
  const flags = ['--bridge=none', '--iptables=false', '--ip6tables=false', '--log-level=warn']
  const places = ['--data-root', join(dir, 'data'), '--exec-root', join(dir, 'exec')]
  const own = ['-H', `unix://${socket}`, '-p', join(dir, 'pid'), '--group', 'root']
  const daemon = spawn('dockerd', [...flags, ...places, ...own], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { PATH: process.env.PATH },
  })
  daemon.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said.set(dir, ((said.get(dir) ?? '') + text).slice(-20_000))
  })
  return daemon
}

/** What the engines wrote to stderr, by folder. */
const said = new Map<string, string>()

/** Waits for a fresh engine; fails where it ends. */
export async function answers(docker: Docker, daemon: ChildProcess, dir: string): Promise<void> {
  const look = async () => {
    if (daemon.exitCode !== null) throw new Error(`the engine has ended: ${said.get(dir) ?? ''}`)
    return docker.ping().then(Boolean, () => false)
  }
  await until('the engine to answer', look, 30_000)
}

/**
 * An image of Node, what it is linked to, and the fixtures; there is no network to pull one from.
 * Resolves with its id.
 */
export async function buildImage(docker: Docker, dir: string): Promise<string> {
  const stage = join(dir, 'stage')
  const libraries = await librariesOf(process.execPath)
  const files: (readonly [source: string, target: string])[] = [
    [process.execPath, '/usr/local/bin/node'],
    [fileURLToPath(new URL('../fixtures', import.meta.url)), '/app'],
    ...libraries.map((path) => [path, path] as const),
  ]
  for (const [source, target] of files) {
    mkdirSync(dirname(join(stage, target)), { recursive: true })
    symlinkSync(source, join(stage, target))
  }
  for (const folder of ['tmp', 'data', 'etc']) mkdirSync(join(stage, folder))
  const changes = ['ENTRYPOINT ["/usr/local/bin/node"]', 'CMD ["/app/echo.mjs"]', 'VOLUME /data']
  const id = await importFolder(docker, stage, IMAGE, changes)
  rmSync(stage, { recursive: true })
  return id
}

/** Makes an image of what a folder holds or links to; resolves with its id. */
export async function importFolder(
  docker: Docker,
  folder: string,
  name: string,
  changes: string[],
): Promise<string> {
  const tar = spawn('tar', ['-C', folder, '-chf', '-', '.'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const [repo, tag] = name.split(':')
  const stream = await docker.importImage(tar.stdout, { repo, tag, changes })
  await promisify(docker.modem.followProgress.bind(docker.modem))(stream)
  return (await docker.getImage(name).inspect()).Id
}

async function librariesOf(program: string): Promise<string[]> {
  const ldd = spawn('ldd', [program], { stdio: ['ignore', 'pipe', 'ignore'] })
  let text = ''
  for await (const chunk of ldd.stdout) text += chunk
  return [...text.matchAll(/(?:=> )?(\/\S+) \(0x/g)].map(([, path]) => String(path))
}

/** Their bridges are the machine's, and would stay. */
async function removeNetworks(docker: Docker): Promise<void> {
  for (const { Id } of await docker.listContainers({ all: true })) {
    await docker.getContainer(Id).remove({ force: true })
  }
  await docker.pruneNetworks()
}

function idsIn(dir: string): string[] {
  const folder = join(dir, 'data/containers')
  return existsSync(folder) ? readdirSync(folder) : []
}

/** Its containers first, then itself with what it started, its mounts and its folders. */
async function end(daemon: ChildProcess, dir: string, ids: Iterable<string>): Promise<void> {
  daemon.kill('SIGTERM')
  const closed = daemon.exitCode ?? daemon.signalCode ?? once(daemon, 'close')
  await within(15_000, 'the engine to end', Promise.resolve(closed)).catch(() => {})
  // Shims name the engine's folder, and are the parents of what runs in its containers.
  const ours = marked(dir)
  for (const pid of ours.flatMap((each) => [each, ...descendants(each)])) kill(pid)
  await until('nothing of the engine to run', () => marked(dir).length === 0)
  for (const id of [...ids, ...idsIn(dir)]) await removeGroups(id)
  for (const bridge of bridgesOf(dir)) {
    if (existsSync(`/sys/class/net/${bridge}`)) await run('ip', 'link', 'delete', bridge)
    removeRules(bridge)
  }
  await unmount(dir)
  rmSync(dir, { recursive: true, force: true, maxRetries: 5 })
}

/** Whether it is there or not. */
export function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended.
  }
}

async function run(program: string, ...args: string[]): Promise<void> {
  await once(spawn(program, args, { stdio: 'ignore' }), 'close')
}

/** Of its networks; a gateway that is killed, or makes one at the last moment, leaves them. */
function bridgesOf(dir: string): Set<string> {
  const file = join(dir, 'data/network/files/local-kv.db')
  const text = existsSync(file) ? readFileSync(file, 'latin1') : ''
  const names = text.matchAll(/"(tg[0-9a-f]{8}[0-9a-z]{1,5})"/g)
  return new Set(Array.from(names, ([, name]) => String(name)))
}

/** The gateway's around that bridge, and no others. */
function removeRules(bridge: string): void {
  for (const program of ['iptables', 'ip6tables']) {
    const { stdout } = spawnSync(program, ['-w', '-S'], { encoding: 'utf8' })
    const words = (stdout ?? '').split('\n').map((line) => line.replaceAll('"', '').split(' '))
    for (const [verb, ...rule] of words) {
      if (verb === '-A' && rule.includes(bridge)) spawnSync(program, ['-w', '-D', ...rule])
    }
  }
}

/** All that is mounted below a folder. */
export async function unmount(dir: string): Promise<void> {
  for (const place of mountsBelow(dir)) await run('umount', '-l', place)
}

function mountsBelow(dir: string): string[] {
  if (!existsSync('/proc/mounts')) return []
  const places = readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '')
  return places.filter((place) => place.startsWith(`${dir}/`)).reverse()
}
