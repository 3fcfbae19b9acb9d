import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Docker from 'dockerode'
import { answers, buildImage, containersOf, kill, type TestEngine, unmount } from './engine.ts'
import type { Owner } from './gateway.ts'
import { descendants } from './processes.ts'
import { absent } from './services.ts'

/** For `test(title, { skip: noPodman }, …)`: why Podman cannot be tested here, or false. */
export const noPodman: string | false =
  process.platform === 'linux' && process.getuid?.() === 0
    ? absent('podman') || absent('catatonit') || absent('runc') || absent('newuidmap')
    : 'a Podman of its own needs Linux and root'

/** Who runs a Podman without root. */
export const PLAIN_USER = 54_321

/** A Podman of the test's own. */
export type TestPodman = Pick<TestEngine, 'socket' | 'docker' | 'image' | 'containers'>

export interface PodmanOptions {
  readonly rootless?: boolean
  /** Makes its image, and tells the id. */
  readonly fill?: typeof buildImage
}

/** Starts one, as root or as `PLAIN_USER`; it ends with its owner, and leaves nothing. */
export async function startPodman(
  owner: Owner,
  { rootless = false, fill = buildImage }: PodmanOptions = {},
): Promise<TestPodman> {
  const dir = mkdtempSync(join(tmpdir(), 'toolgate-podman-'))
  const socket = join(dir, 'own/podman.sock')
  const docker = new Docker({ socketPath: socket })
  const service = launch(dir, socket, rootless)
  owner.after(async () => {
    for (const { Id } of await containersOf(docker).catch(() => [])) {
      // One may have gone by itself since.
      await docker
        .getContainer(Id)
        .remove({ force: true })
        .catch(() => {})
    }
    await end(service, dir)
  })
  await answers(docker, service, dir).catch((error: Error) => {
    throw new Error(`${error.message}${text(join(dir, 'said')).slice(-5_000)}`)
  })
  const image = await fill(docker, dir)
  return { socket, docker, image, containers: () => containersOf(docker) }
}

function launch(dir: string, socket: string, rootless: boolean): ChildProcess {
  const own = join(dir, 'own')
  mkdirSync(join(own, 'run'), { recursive: true })
  chmodSync(dir, 0o755)
  const conf = join(own, 'containers.conf')
  // Its own limits may be past those of whoever runs the tests.
  const limits = '["nofile=1024:1024", "nproc=1024:1024"]'
  writeFileSync(conf, `[containers]\ndefault_ulimits = ${limits}\n`)
  const places = ['--root', join(own, 'root'), '--runroot', join(own, 'runroot')]
  // Some kernels mix both versions of control groups, which crun does not take.
  const flags = ['--storage-driver', driver(), '--cgroup-manager', 'cgroupfs', '--runtime', 'runc']
  const command = ['podman', ...places, ...flags, 'system', 'service', '--time=0']
  const within = rootless ? asPlainUser(dir, own) : []
  const [program = '', ...words] = [...within, ...command, `unix://${socket}`]
  return spawn(program, words, {
    // What runs its containers leaves notes where it is.
    cwd: own,
    stdio: ['ignore', 'ignore', openSync(join(dir, 'said'), 'w')],
    env: {
      PATH: process.env.PATH,
      HOME: own,
      XDG_RUNTIME_DIR: join(own, 'run'),
      CONTAINERS_CONF: conf,
    },
  })
}

/** The other one copies the whole image for each container, and is what is left within a container. */
function driver(): 'overlay' | 'vfs' {
  return statfsSync(tmpdir()).type === OVERLAY ? 'vfs' : 'overlay'
}

/** Of overlayfs, as `statfs` tells it. */
const OVERLAY = 0x794c_7630

/** In a view of the machine in which that user has a name, and ids to give to containers. */
function asPlainUser(dir: string, own: string): string[] {
  const etc = join(dir, 'etc')
  const user = `plain:x:${PLAIN_USER}:${PLAIN_USER}::${own}:/bin/sh`
  const script = `cp -a /etc ${etc} &&
    echo ${user} >> ${etc}/passwd && echo plain:x:${PLAIN_USER}: >> ${etc}/group &&
    echo plain:3000000:65536 | tee ${etc}/subuid > ${etc}/subgid && chown -R ${PLAIN_USER} ${own} &&
    mount --bind ${etc} /etc &&
    exec setpriv --reuid ${PLAIN_USER} --regid ${PLAIN_USER} --clear-groups "$@"`
  return ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', script, 'sh']
}

async function end(service: ChildProcess, dir: string): Promise<void> {
  // One of them keeps the namespaces of whoever is not root, and outlives the service.
  const keeper = Number(text(join(dir, 'own/run/libpod/tmp/pause.pid')))
  const ours = [service.pid ?? 0, ...descendants(service.pid ?? 0), keeper]
  const closed = service.exitCode ?? service.signalCode ?? once(service, 'close')
  for (const pid of ours.filter((each) => each > 0)) kill(pid)
  await closed
  await unmount(dir)
  rmSync(dir, { recursive: true, force: true, maxRetries: 5 })
}

function text(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
