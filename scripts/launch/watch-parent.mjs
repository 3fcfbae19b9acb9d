// Loaded before the program that is launched: ends it when who it was launched for is gone, be it
// the launcher itself, which holds a pipe open, or the npm whose place in the tree it has taken.
import { Socket } from 'node:net'
import { whenOrphaned } from './orphan.mjs'

const { LAUNCHED_BELOW: fd, LAUNCHED_BY: parent } = process.env
// Taken out, so that processes started from here do not look for what they were not given.
delete process.env.LAUNCHED_BELOW
delete process.env.LAUNCHED_BY

const end = () => process.kill(process.pid, 'SIGTERM')

if (fd !== undefined) {
  const launcher = new Socket({ fd: Number(fd) })
  launcher.on('error', () => {})
  launcher.on('close', end)
  launcher.resume()
  launcher.unref()
}
if (parent !== undefined) whenOrphaned(Number(parent), end)
