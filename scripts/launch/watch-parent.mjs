// Loaded before the program that `below.mjs` starts: ends it when the launcher is gone.
import { Socket } from 'node:net'

const fd = process.env.LAUNCHED_BELOW
// Taken out, so that processes started from here do not look for a pipe they were not given.
delete process.env.LAUNCHED_BELOW

if (fd !== undefined) {
  const launcher = new Socket({ fd: Number(fd) })
  launcher.on('error', () => {})
  launcher.on('close', () => process.kill(process.pid, 'SIGTERM'))
  launcher.resume()
  launcher.unref()
}
