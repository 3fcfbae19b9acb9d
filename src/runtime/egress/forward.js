// Plain JavaScript that loads next to nothing: it stands between a tool's start and its program.
// In a cell with no network but its own loopback, it passes connections to 127.0.0.1:3128 on to
// the gateway's egress proxy, and lives as long as the program that it starts.
import { spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { constants } from 'node:os'
import { pipeline } from 'node:stream'

const [, , port, path, program, ...args] = process.argv

const server = createServer({ allowHalfOpen: true, noDelay: true }, (tool) => {
  const proxy = connect({ path, allowHalfOpen: true })
  pipeline(tool, proxy, () => {})
  pipeline(proxy, tool, () => {})
})
server.on('error', (error) => stop(`No way out of the cell: ${error.message}`, 125))
server.listen(Number(port), '127.0.0.1', start)

function start() {
  // The whole group gets them, and the program is whose they are.
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => {})
  const child = spawn(program, args, { stdio: 'inherit' })
  child.on('error', (error) => stop(`${program}: ${error.message}`, 127))
  child.on('exit', endLike)
  child.on('spawn', letGo)
}

// What the program closes has to be closed: nobody else may hold its ends.
function letGo() {
  for (const fd of [0, 1, 2]) {
    closeSync(fd)
    openSync('/dev/null', 'r+')
  }
}

function endLike(code, signal) {
  if (signal === null) process.exit(code)
  process.removeAllListeners(signal)
  process.kill(process.pid, signal)
  // The first process of a namespace survives its own signals.
  setTimeout(() => process.exit(128 + constants.signals[signal]), 100)
}

function stop(why, code) {
  try {
    process.stderr.write(`${why}\n`)
  } finally {
    process.exit(code)
  }
}
