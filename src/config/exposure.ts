import { existsSync } from 'node:fs'
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
  if (existsSync('/.dockerenv') && existsSync('/var/run/docker.sock'))
    found.push('The Docker socket is mounted here: whoever can use it controls the whole machine.')
  return found
}
