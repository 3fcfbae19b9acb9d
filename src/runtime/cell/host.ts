import { access, constants, realpath, stat } from 'node:fs/promises'
import { delimiter, isAbsolute, join } from 'node:path'
import type { Environment } from '../../config/environment.ts'

/** What this machine has for isolating native tools; looked at once. */
export interface Host {
  /** Tools are taken out of root by a user of their own; else they run as the gateway's. */
  readonly root: boolean
  /** Absolute path of bubblewrap; null: there are no cells here, and `why` says so. */
  readonly bubblewrap: string | null
  readonly why: string | null
  /** There is nothing here that could make a cell, so that what can do without one may. */
  readonly absent: boolean
  /** Under root: absolute path of what drops to another user. */
  readonly setpriv: string | null
  /** Whether bubblewrap can forbid user namespaces below its own. */
  readonly disablesUserNamespaces: boolean
  /** Whether it mounts what a descriptor holds, so that nothing can be put in its place. */
  readonly bindsDescriptors: boolean
}

/**
 * What this machine has. `environment` is the gateway's, for its PATH. The cells are tried, not
 * believed: many systems have the program and forbid what it does.
 */
export function probeHost(environment: Environment): Promise<Host> {
  const path = environment.PATH ?? ''
  const known = hosts.get(path)
  if (known !== undefined) return known
  const probing = probe(path).then((host) => {
    // What is there and does not work may have been in want of memory, or be mended.
    if (host.bubblewrap === null && !host.absent)
      setTimeout(() => hosts.delete(path), AGAIN).unref()
    return host
  })
  hosts.set(path, probing)
  return probing
}

/** Milliseconds for which a failure is believed. */
const AGAIN = 2_000

const hosts = new Map<string, Promise<Host>>()

async function probe(path: string): Promise<Host> {
  const root = process.getuid?.() === 0
  const none = {
    root,
    absent: false,
    bubblewrap: null,
    setpriv: null,
    disablesUserNamespaces: false,
    bindsDescriptors: false,
  }
  if (process.platform !== 'linux') return { ...none, absent: true, why: 'cells need Linux' }
  const bubblewrap = await findProgram('bwrap', path)
  if (bubblewrap === undefined)
    return { ...none, absent: true, why: 'bubblewrap (bwrap) is not installed' }
  const setpriv = root ? await findProgram('setpriv', path) : undefined
  if (root && setpriv === undefined)
    return { ...none, why: 'setpriv (util-linux) is not installed' }
  const bindsDescriptors = (await helpOf(bubblewrap)).includes('--ro-bind-fd ')
  const found = {
    root,
    absent: false,
    bubblewrap,
    setpriv: setpriv ?? null,
    bindsDescriptors,
    why: null,
  }
  const failed = (why: string) => ({ ...none, why, absent: FORBIDDEN.test(why) })
  if (root) {
    const why = await tried(bubblewrap, ROOT)
    return why === null ? { ...found, disablesUserNamespaces: false } : failed(why)
  }
  if ((await tried(bubblewrap, [...OWN_USER, '--disable-userns'])) === null) {
    return { ...found, disablesUserNamespaces: true }
  }
  const why = await tried(bubblewrap, OWN_USER)
  return why === null ? { ...found, disablesUserNamespaces: false } : failed(why)
}

/** This system does not let it: another try is no better. Any other failure may pass. */
const FORBIDDEN = /not permitted|permission|no permissions|not allowed|disabled/i

const NAMESPACES = ['--unshare-pid', '--unshare-ipc', '--unshare-uts', '--unshare-net']
const ROOT = [...NAMESPACES, '--unshare-cgroup-try']
const OWN_USER = [...ROOT, '--unshare-user']

async function helpOf(bubblewrap: string): Promise<string> {
  const { execa } = await import('execa')
  const options = { env: {}, extendEnv: false, reject: false, timeout: 10_000 } as const
  return (await execa(bubblewrap, ['--help'], options)).stdout ?? ''
}

/** Null where it works, else what it said. */
async function tried(bubblewrap: string, flags: readonly string[]): Promise<string | null> {
  const { execa } = await import('execa')
  const places = ['--ro-bind', '/', '/', '--proc', '/proc', '--dev', '/dev', '--tmpfs', '/tmp']
  const { failed, stderr, shortMessage } = await execa(
    bubblewrap,
    [...flags, '--die-with-parent', ...places, '--', '/bin/sh', '-c', ':'],
    {
      env: {},
      extendEnv: false,
      stdin: 'ignore',
      stdout: 'ignore',
      reject: false,
      timeout: 10_000,
    },
  )
  if (!failed) return null
  const said = String(stderr ?? '')
    .trim()
    .split('\n')
    .at(-1)
  return `bubblewrap does not work here: ${said || shortMessage}`
}

/** The absolute path of a program, by the PATH; undefined where there is none. */
export async function findProgram(name: string, path: string): Promise<string | undefined> {
  const folders = path.split(delimiter).filter(isAbsolute)
  for (const candidate of isAbsolute(name) ? [name] : folders.map((each) => join(each, name))) {
    if (await isProgram(candidate)) return candidate
  }
  return undefined
}

async function isProgram(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK)
    return (await stat(file)).isFile()
  } catch {
    return false
  }
}

/** The same path without links; itself where it is not there. */
export function withoutLinks(path: string): Promise<string> {
  return realpath(path).catch(() => path)
}
