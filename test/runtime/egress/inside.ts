/**
 * Run by `namespace.test.ts` in a network namespace of its own, in which 1.2.3.4 is a public
 * address of somebody else: servers there, a proxy, and behind a forwarder, in a namespace with
 * nothing but loopback, a program that tries to get out. Prints what came of it.
 */
import { execFileSync, spawn } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { EgressDoors } from '../../../src/runtime/egress/doors.ts'
import { FORWARD, forwardWords } from '../../../src/runtime/egress/forwarded.ts'
import { proxyVariables } from '../../../src/runtime/egress/variables.ts'
import { recorder } from './house.ts'

const [network = '"egress"'] = process.argv.slice(2)
const NAMES: Record<string, string[]> = {
  'public.example': ['1.2.3.4'],
  'rebinds.example': ['1.2.3.4', '127.0.0.1'],
  'here.example': ['5.6.7.8'],
}

// Packets to 1.2.3.4 and to the metadata address stay here, but neither is of an interface.
for (const words of [
  'link set lo up',
  'address add 5.6.7.8/32 dev lo',
  'route add local 1.2.3.4/32 dev lo',
  'route add local 169.254.169.254/32 dev lo',
]) {
  execFileSync('ip', words.split(' '))
}
const web = createHttpServer((request, response) =>
  response.end(`web ${request.headers.host}${request.url}`),
)
const echo = createServer((socket) => socket.pipe(socket))
// The gateway, a service of this machine and the metadata of a cloud: all there to be reached.
const secret = createHttpServer((_, response) => response.end('SECRET'))
await Promise.all([listen(web, '1.2.3.4', 80), listen(echo, '1.2.3.4', 7)])
const gateway = createHttpServer((_, response) => response.end('SECRET'))
await Promise.all([listen(secret, '::', 81), listen(gateway, '::', 8080)])

const cache = mkdtempSync(join(tmpdir(), 'toolgate-inside-'))
const outcomes: Record<string, number> = {}
const doors = new EgressDoors({
  cache,
  log: recorder([]),
  meters: {
    egress: (_, outcome) => {
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
    },
  },
  ownPorts: () => [8080],
  lookup: async (host) => NAMES[host] ?? [],
})
const door = await doors.open('fetcher', JSON.parse(network))
// Shown to another user, as a cell does it, who could not enter the folder that it is in.
const shown = join(mkdtempSync(join(tmpdir(), 'toolgate-shown-')), 'socket')
writeFileSync(shown, '')
chmodSync(dirname(shown), 0o755)
const cell = `ip link set lo up && mount --bind ${door.path} ${shown} && exec "$@"`
const nobody = ['setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups']
const tool = forwardWords(process.execPath, FORWARD, shown)
const program = [process.execPath, join(import.meta.dirname, 'tries-to-get-out.mjs')]
const words = ['-n', '-m', 'sh', '-c', cell, 'sh', ...nobody, ...tool, ...program]
const child = spawn('unshare', words, {
  env: { PATH: process.env.PATH, ...proxyVariables() },
  stdio: ['ignore', 'pipe', 'inherit'],
})
const tried = JSON.parse(await text(child.stdout))
await door.release()
await doors.close()
for (const each of [cache, dirname(shown)]) rmSync(each, { recursive: true })
for (const server of [web, echo, secret, gateway]) server.close()
console.log(JSON.stringify({ tried, outcomes }))

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((ready) => server.listen(port, host, ready))
}
