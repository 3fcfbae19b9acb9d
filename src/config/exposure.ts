import { accessSync, constants } from 'node:fs'
import type { Config } from './config.ts'
import type { Mistake } from './mistake.ts'
import type { Places, Readable } from './read.ts'

/** Whether only this machine can reach `host`. */
export function isLoopback(host: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|::1|(0{1,4}:){7}0{0,3}1|::ffff:127(\.\d{1,3}){3})$/i.test(
    host,
  )
}

type Exposed = Readable<Pick<Config, 'listen' | 'keys' | 'unauthenticated'>>

/** What would open the gateway to strangers, and must be said to be meant. */
export function exposures({ listen, keys, unauthenticated }: Exposed, places: Places): Mistake[] {
  const { host } = listen
  if (host === undefined || keys === undefined || unauthenticated === undefined) return []
  if (isLoopback(host) || keys.length > 0 || unauthenticated) return []
  return [
    {
      place: places.get('listen.host') ?? { source: 'listen.host' },
      path: 'listen.host',
      message: `${host} can be reached from other machines, and no keys are configured`,
      expected: '127.0.0.1, or keys, or --unauthenticated if everyone may call every tool',
    },
  ]
}

/** What is allowed but better known; each is a sentence for the log. */
export function warnings(config: Config): string[] {
  const { host, metrics, metricsHost } = config.listen
  const found = []
  if (!isLoopback(host) && config.keys.length === 0)
    found.push(`Anyone who reaches ${host} may call every tool: no keys are configured.`)
  if (config.origins.includes('*'))
    found.push('Any web page may call the gateway: origins has "*".')
  if (metrics !== null && !isLoopback(metricsHost))
    found.push(`Metrics are open to anyone who reaches ${metricsHost}.`)
  const socket = engineSocket(config)
  if (socket !== undefined)
    found.push(
      `The gateway can use the container engine at ${socket}, and whoever can do that controls ` +
        'the whole machine; no tool is given the socket.',
    )
  return found
}

/** One that this user may write to; undefined: there is none. */
function engineSocket({ engine, environment }: Pick<Config, 'engine' | 'environment'>) {
  const { DOCKER_HOST = '', XDG_RUNTIME_DIR: own } = environment
  const places = [
    engine.socket ?? DOCKER_HOST.replace(/^unix:\/\//, ''),
    '/var/run/docker.sock',
    '/run/podman/podman.sock',
    ...(own ? [`${own}/docker.sock`, `${own}/podman/podman.sock`] : []),
  ]
  return places.find((path) => path.startsWith('/') && isWritable(path))
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK)
    return true
  } catch {
    return false
  }
}
