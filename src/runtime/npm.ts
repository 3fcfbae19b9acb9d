import { randomUUID } from 'node:crypto'
import { mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ToolgateError } from '../errors.ts'
import type { Logger } from '../telemetry/log.ts'
import { resolveBin } from './npm-bin.ts'
import { findNpm } from './npm-cli.ts'
import { runNpm } from './npm-run.ts'

export interface InstallOptions {
  readonly package: string
  /** Exact. */
  readonly version: string
  /** Absolute path of what may be lost. */
  readonly cache: string
  /** Milliseconds for the whole installation. */
  readonly timeout: number
  readonly signal?: AbortSignal
  readonly log: Logger
  /** The gateway's environment: npm gets its home, proxies, certificates and registry from it. */
  readonly env?: Readonly<Record<string, string | undefined>>
}

export interface Installed {
  readonly program: string
  readonly args: string[]
  /** The folder it was installed into, with all that it depends on. */
  readonly needs: readonly string[]
}

/**
 * The program of an npm package. It is installed once, without scripts, and is there whole or not
 * at all: npm works in a folder beside, which is then renamed. Rejects with
 * `tool_failed_to_start` and what npm said.
 */
export async function installPackage(options: InstallOptions): Promise<Installed> {
  const { package: name, version, cache, signal } = options
  const folder = join(cache, 'npm', `${name.replace('/', '+')}@${version}`)
  const found = await resolveBin(folder, name)
  if (found !== undefined) return { ...found, needs: [folder] }
  const running = installs.get(folder) ?? begin(folder, options)
  await waitFor(running, signal).finally(() => {
    // The installation ends when nobody waits for it any more.
    if (running.waiting > 0) return
    running.end.abort()
    if (installs.get(folder) === running) installs.delete(folder)
  })
  const installed = await resolveBin(folder, name)
  if (installed === undefined) {
    throw failure(`${name}@${version} has no program that could be started`)
  }
  return { ...installed, needs: [folder] }
}

interface Installation {
  readonly done: Promise<void>
  readonly end: AbortController
  waiting: number
}

/** One installation for each folder, whoever waits for it. */
const installs = new Map<string, Installation>()

function begin(folder: string, options: InstallOptions): Installation {
  const end = new AbortController()
  const running = { done: install(folder, options, end.signal), end, waiting: 0 }
  installs.set(folder, running)
  return running
}

/** Who gives up leaves the others waiting. */
async function waitFor(running: Installation, signal: AbortSignal | undefined): Promise<void> {
  const left = Promise.withResolvers<never>()
  const leave = () => left.reject(failure('the start was given up'))
  running.waiting++
  signal?.addEventListener('abort', leave)
  if (signal?.aborted) leave()
  try {
    await Promise.race([running.done, left.promise])
  } finally {
    signal?.removeEventListener('abort', leave)
    running.waiting--
  }
}

async function install(folder: string, options: InstallOptions, signal: AbortSignal) {
  const { package: name, version, cache, timeout, log, env = {} } = options
  const place = join(cache, 'npm')
  const draft = join(place, `.draft-${randomUUID()}`)
  const began = performance.now()
  log.info({ package: name, version }, 'package is being installed')
  try {
    await mkdir(draft, { recursive: true })
    await forgetDrafts(place)
    await writeFile(join(draft, 'package.json'), '{"private":true}\n')
    const npm = await findNpm(env.PATH)
    if (npm === undefined) throw failure('npm was not found beside Node, nor on the PATH')
    const failed = await runNpm({
      npm,
      folder: draft,
      spec: `${name}@${version}`,
      timeout,
      signal,
      env,
    })
    if (failed !== undefined) throw failure(`${name}@${version} could not be installed: ${failed}`)
    await settle(draft, folder)
    const ms = Math.round(performance.now() - began)
    log.info({ package: name, version, ms }, 'package installed')
  } catch (error) {
    if (signal.aborted) log.info({ package: name, version }, 'package is not wanted any more')
    throw error
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
}

/** Another gateway may have been faster: its folder is as good as ours. */
async function settle(draft: string, folder: string): Promise<void> {
  try {
    await rename(draft, folder)
  } catch (error) {
    const there = await stat(join(folder, 'node_modules')).catch(() => undefined)
    if (there === undefined) throw error
  }
}

/** Milliseconds after which a draft was left behind by a gateway that has died. */
const OLD = 3_600_000

async function forgetDrafts(place: string): Promise<void> {
  for (const name of await readdir(place)) {
    if (!name.startsWith('.draft-')) continue
    const found = await stat(join(place, name)).catch(() => undefined)
    if (found === undefined || Date.now() - found.mtimeMs < OLD) continue
    await rm(join(place, name), { recursive: true, force: true })
  }
}

function failure(why: string): ToolgateError {
  return new ToolgateError('tool_failed_to_start', `The tool could not be started: ${why}.`)
}
