import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../../config/config.ts'
import { ToolgateError } from '../../errors.ts'

export type EngineConfig = Pick<Config, 'engine' | 'environment'>

/** Where an engine answers: a socket of this machine, or TCP, which may lead to another. */
export type EngineAddress =
  | { readonly socket: string }
  | { readonly host: string; readonly port: number }

/**
 * Where the engine is: `engine.socket`, else `DOCKER_HOST`, else the usual places. Throws
 * `no_cell`, which names the ways out.
 */
export function engineAddress({ engine, environment }: EngineConfig): EngineAddress {
  if (engine.socket !== null) return { socket: engine.socket }
  const named = environment.DOCKER_HOST ?? ''
  if (named !== '') return readHost(named, environment)
  const socket = usualSockets(environment).find((path) => existsSync(path))
  if (socket === undefined) throw noEngine('there is no container engine')
  return { socket }
}

/** Where Docker and Podman listen, as root and without. */
export function usualSockets({ XDG_RUNTIME_DIR, HOME }: Config['environment']): string[] {
  return [
    '/var/run/docker.sock',
    ...(XDG_RUNTIME_DIR ? [join(XDG_RUNTIME_DIR, 'docker.sock')] : []),
    ...(XDG_RUNTIME_DIR ? [join(XDG_RUNTIME_DIR, 'podman/podman.sock')] : []),
    '/run/podman/podman.sock',
    ...(HOME ? [join(HOME, '.docker/run/docker.sock')] : []),
  ]
}

export function noEngine(why: string, cause?: unknown): ToolgateError {
  const ways =
    'start Docker or Podman, name its socket with engine.socket or DOCKER_HOST, ' +
    'or use command or npm in its file'
  const message = `The tool could not be started: ${why}; ${ways}.`
  return new ToolgateError('no_cell', message, { cause })
}

function readHost(text: string, environment: Config['environment']): EngineAddress {
  const [, socket] = /^unix:\/\/(\/.+)$/.exec(text) ?? []
  if (socket !== undefined) return { socket }
  const [, host, port] = /^tcp:\/\/(\[[\da-fA-F:]+\]|[\w.-]+):(\d{1,5})\/?$/.exec(text) ?? []
  if (host === undefined) throw noEngine('DOCKER_HOST is neither unix:///path nor tcp://host:port')
  if (environment.DOCKER_TLS_VERIFY) throw noEngine('engines behind TLS are not reached')
  return { host: host.replace(/^\[|\]$/g, ''), port: Number(port) }
}
