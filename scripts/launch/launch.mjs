import { delimiter, dirname } from 'node:path'
import { installedNode, isRecent } from './node.mjs'
import { packagesAreThere } from './packages.mjs'

const WATCH = new URL('./watch-parent.mjs', import.meta.url).href

/**
 * Runs `args` with a Node that is new enough, after installing what is missing. `parent`: id of the
 * process that it ends with, where that is this one's parent.
 */
export async function launch(args, parent) {
  if (!packagesAreThere()) await (await import('./install.mjs')).installPackages()
  const node = isRecent(process.versions.node)
    ? process.execPath
    : (installedNode() ?? (await (await import('./install.mjs')).installNode()))
  // What is started from there (npm, npx, `#!/usr/bin/env node`) has to find the same Node.
  const env = { ...process.env, PATH: `${dirname(node)}${delimiter}${process.env.PATH ?? ''}` }
  if (env.npm_node_execpath) env.npm_node_execpath = node
  if (process.execve) {
    if (parent === undefined) process.execve(node, [node, ...args], env)
    process.execve(node, [node, '--import', WATCH, ...args], { ...env, LAUNCHED_BY: `${parent}` })
  }
  const { runBelow } = await import('./below.mjs')
  runBelow(node, args, env, parent)
}
