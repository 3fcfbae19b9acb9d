import { delimiter, dirname } from 'node:path'
import { installedNode, isRecent } from './node.mjs'
import { packagesAreThere } from './packages.mjs'

/** Runs `args` with a Node that is new enough, after installing what is missing. */
export async function launch(args) {
  if (!packagesAreThere()) await (await import('./install.mjs')).installPackages()
  const node = isRecent(process.versions.node)
    ? process.execPath
    : (installedNode() ?? (await (await import('./install.mjs')).installNode()))
  // What is started from there (npm, npx, `#!/usr/bin/env node`) has to find the same Node.
  const env = { ...process.env, PATH: `${dirname(node)}${delimiter}${process.env.PATH ?? ''}` }
  if (env.npm_node_execpath) env.npm_node_execpath = node
  if (process.execve) process.execve(node, [node, ...args], env)
  const { runBelow } = await import('./below.mjs')
  runBelow(node, args, env)
}
