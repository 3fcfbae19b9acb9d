import { statSync } from 'node:fs'
import { Agent } from 'node:http'
import type Docker from 'dockerode'
import { ToolgateError } from '../../errors.ts'
import { type EngineAddress, type EngineConfig, engineAddress, noEngine } from './address.ts'

/** A container engine that answers. */
export interface Engine {
  readonly docker: Docker
  /** Path of its socket; null: over TCP, so that its files and addresses may be another machine's. */
  readonly socket: string | null
  readonly facts: EngineFacts
}

/** What an engine says of itself. */
export interface EngineFacts {
  /** Minor version of its API: 41 of 1.41. */
  readonly api: number
  /** Its root is the user that runs it. */
  readonly rootless: boolean
  readonly cgroup: 1 | 2
  /** Each container is in a control group of its own: else there are no limits, and no usage. */
  readonly groups: boolean
  /** What it can keep a container from. */
  readonly bounds: Readonly<Record<'memory' | 'swap' | 'cpus' | 'processes', boolean>>
  readonly seccomp: boolean
  /** It is Podman, which reads a filter of ours from a file, and does some things in its own way. */
  readonly podman: boolean
  /** It may run in another machine, virtual or not, whose files are not ours. */
  readonly elsewhere: boolean
}

/**
 * The engine, with one client for each place it is at. Rejects with `no_cell`, and for some seconds
 * with the same without asking again, unless its socket is another one by then.
 */
export async function findEngine(config: EngineConfig): Promise<Engine> {
  const address = engineAddress(config)
  const key = JSON.stringify(address)
  const failure = engines.has(key) ? undefined : failures.get(key)
  const fresh = failure !== undefined && performance.now() < failure.until
  if (fresh && failure.socket === identify(address)) throw failure.error
  return findAgain(config)
}

/** The same, asked though it has just failed: for what is done when nobody waits for it. */
export async function findAgain(config: EngineConfig): Promise<Engine> {
  const address = engineAddress(config)
  const key = JSON.stringify(address)
  const known = engines.get(key)
  if (known !== undefined) return known
  const socket = identify(address)
  const connecting = connect(address)
  engines.set(key, connecting)
  connecting.catch((error: unknown) => {
    engines.delete(key)
    failures.set(key, { error, socket, until: performance.now() + AGAIN })
  })
  return connecting
}

/** Of those that could not be reached the last time: one that hangs would keep each request waiting. */
const failures = new Map<string, { error: unknown; socket: string; until: number }>()

/** The very socket that is there: an engine that is started makes its own. */
function identify(address: EngineAddress): string {
  if (!('socket' in address)) return ''
  try {
    const { dev, ino, ctimeNs } = statSync(address.socket, { bigint: true })
    return `${dev}:${ino}:${ctimeNs}`
  } catch {
    return ''
  }
}

/** It may have come back as another version: it is asked again. */
export function forgetEngine(engine: Engine): void {
  for (const [key, known] of engines) {
    void known.then(
      (each) => each === engine && engines.delete(key),
      () => {},
    )
  }
}

const engines = new Map<string, Promise<Engine>>()

async function connect(address: EngineAddress): Promise<Engine> {
  const { default: Client } = await import('dockerode')
  const asking = new Client(optionsFor(address, undefined))
  try {
    const version = (await ask(asking.version())) as Version
    const api = negotiate(version)
    const docker = new Client(optionsFor(address, `v1.${api}`))
    const info: Info = await ask(docker.info())
    return {
      docker,
      socket: 'socket' in address ? address.socket : null,
      facts: factsOf(api, info, version, !('socket' in address) || process.platform !== 'linux'),
    }
  } catch (error) {
    throw noEngine('the container engine does not answer', error)
  }
}

/** Requests have connections of their own: a kept one may be of an engine that has ended since. */
const agent = new Agent({ keepAlive: false })

/** Nothing is left to the client's own guesses from the environment. */
function optionsFor(address: EngineAddress, version: string | undefined): Docker.DockerOptions {
  const plain = { protocol: 'http', ca: undefined, cert: undefined, key: undefined, agent, version }
  const place =
    'socket' in address
      ? { host: undefined, socketPath: address.socket }
      : { host: address.host, port: address.port, socketPath: undefined }
  return { ...plain, ...place } as unknown as Docker.DockerOptions
}

interface Version {
  readonly ApiVersion: string
  readonly MinAPIVersion?: string
  readonly Components?: readonly { readonly Name?: string }[]
}

/** The newest that both know; an engine that has dropped it gets its oldest. */
function negotiate({ ApiVersion, MinAPIVersion }: Version): number {
  return Math.max(Math.min(minor(ApiVersion), KNOWN), minor(MinAPIVersion ?? '1.24'))
}

const minor = (version: string) => Number(version.split('.')[1])

/** Minor version of the newest API that this was written for. */
const KNOWN = 47

interface Info {
  readonly CgroupVersion?: string
  readonly MemoryLimit?: boolean
  readonly SwapLimit?: boolean
  readonly CpuCfsQuota?: boolean
  readonly PidsLimit?: boolean
  readonly SecurityOptions?: readonly string[]
  /** Podman's own. */
  readonly Rootless?: boolean
  readonly CgroupDriver?: string
}

function factsOf(
  api: number,
  info: Info,
  { Components = [] }: Version,
  elsewhere: boolean,
): EngineFacts {
  const options = info.SecurityOptions ?? []
  const seccomp = options.some(
    (option) => /^name=seccomp\b/.test(option) && !/unconfined/.test(option),
  )
  const podman = Components.some(({ Name = '' }) => /podman/i.test(Name))
  const rootless =
    info.Rootless === true || options.some((option) => option.startsWith('name=rootless'))
  const cgroup = info.CgroupVersion === '2' ? 2 : 1
  const driver = info.CgroupDriver
  // Without root and systemd Podman says what its machine can do, and leaves it out without a word.
  const cannot = podman && rootless && !(cgroup === 2 && driver === 'systemd')
  const groups = driver !== 'none' && !cannot
  return {
    api,
    rootless,
    cgroup,
    groups,
    bounds: {
      memory: groups && info.MemoryLimit !== false,
      swap: groups && (info.SwapLimit !== false || cgroup === 2),
      // Podman looks for a file that only version 1 has.
      cpus: groups && (info.CpuCfsQuota !== false || (podman && cgroup === 2)),
      processes: groups && info.PidsLimit !== false,
    },
    seccomp,
    podman,
    elsewhere,
  }
}

/** What an engine answered, in its own words and short; undefined where it did not answer. */
export function engineSaid(error: unknown): string | undefined {
  if (statusOf(error) === undefined) return undefined
  // `(HTTP code 500) server error - what it said `
  const text = (error as Error).message.replace(/^\(HTTP code \d+\) .*? - /, '')
  return text.replace(/\s+/g, ' ').trim().slice(0, 500).replace(/\.$/, '')
}

export function statusOf(error: unknown): number | undefined {
  return (error as { statusCode?: number }).statusCode
}

/** Why a container could not be started; the engine itself being gone is no fault of the tool. */
export function startFailure(error: unknown, engine: Engine): ToolgateError {
  if (error instanceof ToolgateError) return error
  const said = engineSaid(error)
  if (said === undefined) {
    forgetEngine(engine)
    return noEngine('the container engine does not answer', error)
  }
  const message = `The tool could not be started: the container engine says: ${said}.`
  return new ToolgateError('tool_failed_to_start', message, { cause: error })
}

/** One short request, which must be answered in time: an engine may hang, or end within its answer. */
export async function ask<T>(request: Promise<T>, milliseconds = PATIENCE): Promise<T> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new Error('no answer in time')), milliseconds)
  try {
    return await Promise.race([request, late.promise])
  } finally {
    clearTimeout(timer)
  }
}

/** Milliseconds. */
const PATIENCE = 5_000
const AGAIN = 5_000
