import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const NODE_VERSION = '24.21.0'

export const TOOLCHAIN = fileURLToPath(new URL('../../.toolchain', import.meta.url))

/** The first with all that this project uses; `engines` in package.json says the same. */
export function isRecent(version) {
  const [major, minor] = version.split('.').map(Number)
  return major > 24 || (major === 24 && minor >= 11)
}

/** Where the pinned Node lies once it is installed. */
export function nodeHome() {
  return join(TOOLCHAIN, `node-${NODE_VERSION}-${process.platform}-${process.arch}`)
}

/** Absolute path of the pinned Node, or undefined. */
export function installedNode() {
  const node = join(nodeHome(), 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
  return existsSync(node) ? node : undefined
}
