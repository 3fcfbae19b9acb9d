import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { promisify } from 'node:util'
import { IMAGE as BASE, noEngine, startEngine, type TestEngine } from '../../test/harness/engine.ts'
import { marked } from '../../test/harness/processes.ts'
import { packagesOf } from './packages.ts'

/** A container engine of the bench's own, with an image of server-everything. */
export interface Engine {
  readonly socket: string
  /** Its processes, those that have left it included. */
  pids(): number[]
  /** Containers that it has, running or not. */
  containers(): Promise<number>
  end(): Promise<void>
}

/** Name of the image, and what is run in it by Node. */
export const IMAGE = 'toolgate-bench/everything:1'
const ROOT = '/app/node_modules'
export const MAIN = `${ROOT}/@modelcontextprotocol/server-everything/dist/index.js`

/** Why there is none on this machine, or false. */
export { noEngine }

export async function openEngine(folder: string): Promise<Engine> {
  const ends: (() => Promise<void>)[] = []
  const engine = await startEngine({ after: (end) => ends.push(end) })
  const dir = dirname(engine.socket)
  const killNow = () => endNow(engine, dir)
  process.once('exit', killNow)
  const end = async () => {
    for (const each of ends) await each()
    process.off('exit', killNow)
  }
  try {
    await buildImage(engine, folder)
  } catch (error) {
    await end()
    throw error
  }
  return {
    socket: engine.socket,
    pids: () => marked(dir),
    containers: async () => (await engine.containers()).length,
    end,
  }
}

/** On top of the image that has Node; the engine copies, and runs nothing. */
async function buildImage({ docker }: TestEngine, folder: string): Promise<void> {
  const stage = mkdtempSync(join(folder, 'image-'))
  const packages = packagesOf('@modelcontextprotocol/server-everything')
  const root = rootOf(packages)
  writeFileSync(join(stage, 'Dockerfile'), `FROM ${BASE}\nCOPY node_modules ${ROOT}\n`)
  const files = packages.map((each) => relative(dirname(root), each))
  const from = ['-C', stage, 'Dockerfile', '-C', dirname(root), ...files]
  const tar = spawn('tar', ['-cf', '-', ...from], { stdio: ['ignore', 'pipe', 'inherit'] })
  const stream = await docker.buildImage(tar.stdout, { t: IMAGE })
  const steps = await promisify(docker.modem.followProgress.bind(docker.modem))(stream)
  const failed = (steps as { error?: string }[]).find(({ error }) => error !== undefined)
  if (failed !== undefined) throw new Error(`The image could not be built: ${failed.error}`)
}

/** The `node_modules` that all of them are in. */
function rootOf([first = '']: readonly string[]): string {
  const name = `${sep}node_modules`
  return first.slice(0, first.indexOf(`${name}${sep}`) + name.length)
}

/** On the way out, where nothing can be waited for but by sleeping. */
function endNow(engine: TestEngine, dir: string): void {
  engine.signal('SIGTERM')
  const bell = new Int32Array(new SharedArrayBuffer(4))
  for (let left = 150; left > 0 && marked(dir).length > 0; left--) Atomics.wait(bell, 0, 0, 100)
  rmSync(dir, { recursive: true, force: true })
}
