import { spawn } from 'node:child_process'
import { whenOrphaned } from './orphan.mjs'

const WATCH = new URL('./watch-parent.mjs', import.meta.url).href
const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP']

/**
 * For a Node that cannot replace itself by another program: runs it as a child with the same
 * stdio, passes signals on, and ends as it ends. The child ends when this process does, even by
 * SIGKILL: it watches a pipe that only this process holds open. `parent` as for `launch`.
 */
export function runBelow(node, args, env, parent) {
  const child = spawn(node, ['--import', WATCH, ...args], {
    env: { ...env, LAUNCHED_BELOW: '3', LAUNCHED_FROM: `${process.pid}` },
    stdio: ['inherit', 'inherit', 'inherit', 'pipe'],
  })
  for (const signal of FORWARDED) process.on(signal, () => child.kill(signal))
  if (parent !== undefined) whenOrphaned(parent, () => child.kill('SIGTERM'))
  child.on('error', (error) => {
    process.stderr.write(`toolgate: cannot start ${node}: ${error.message}\n`)
    process.exit(1)
  })
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? 1)
    process.removeAllListeners(signal)
    process.kill(process.pid, signal)
  })
}
