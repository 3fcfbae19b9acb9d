// Loaded before the program that is launched: ends it when who it was launched for is gone, be it
// the launcher itself, which holds a pipe open, or the npm whose place in the tree it has taken.
import { Socket } from 'node:net'
import { whenOrphaned } from './orphan.mjs'

const { LAUNCHED_BELOW: fd, LAUNCHED_BY: parent, LAUNCHED_FROM: launcher } = process.env
// Taken out, so that processes started from here do not look for what they were not given.
delete process.env.LAUNCHED_BELOW
delete process.env.LAUNCHED_BY
delete process.env.LAUNCHED_FROM

const end = () => process.kill(process.pid, 'SIGTERM')

// `node --test` loads this in each test's process and not in its own: those have another parent,
// and neither the pipe nor anybody to watch.
if (fd !== undefined && Number(launcher) === process.ppid) {
  const pipe = new Socket({ fd: Number(fd) })
  pipe.on('error', () => {})
  pipe.on('close', end)
  pipe.resume()
  pipe.unref()
}
if (parent !== undefined && Number(parent) === process.ppid) whenOrphaned(Number(parent), end)
