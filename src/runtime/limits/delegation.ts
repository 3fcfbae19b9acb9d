import { access, constants, mkdir, readFile, rmdir, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { Controller } from './cgroups.ts'

export interface Delegated {
  /** Where groups can be made. */
  readonly folder: string
  /** What they can bound. */
  readonly controllers: readonly Controller[]
  /** The file of the processes of the group that this one is in now. */
  readonly self: string
}

/**
 * What of cgroup v2 was given to us: `own` is the group that we are in. A group that hands its
 * controllers on may have no processes of its own, so the gateway, and those who started it or
 * whom it started, move into one below; where anybody else is in it, it is not ours to arrange.
 */
export async function findDelegated(own: string, proc: string): Promise<Delegated | undefined> {
  // A gateway before this one may have put us there, as children of its shell.
  const inside = basename(own) === LEAF
  const folder = inside ? dirname(own) : own
  if (!(await writable(folder))) return undefined
  const offered = await words(join(folder, 'cgroup.controllers'))
  const wanted = WANTED.filter((controller) => offered.includes(controller))
  const enabled = await words(join(folder, 'cgroup.subtree_control'))
  const missing = wanted.filter((controller) => !enabled.includes(controller))
  if (wanted.length === 0) return undefined
  const stay = { folder, controllers: wanted, self: join(own, 'cgroup.procs') }
  if (missing.length === 0) return stay
  // The first group of all may have processes; it alone has no type.
  const bound = inside || !(await exists(join(folder, 'cgroup.type')))
  const moved = bound ? [] : await moveDown(folder, proc)
  if (moved === undefined) return undefined
  const added = await enable(folder, missing)
  const controllers = wanted.filter((each) => enabled.includes(each) || added.includes(each))
  if (controllers.length === 0) {
    await moveUp(folder, moved)
    return undefined
  }
  return moved.length === 0
    ? { ...stay, controllers }
    : { folder, controllers, self: join(folder, LEAF, 'cgroup.procs') }
}

const WANTED = ['memory', 'pids', 'cpu'] as const
const LEAF = 'toolgate-gateway'

async function writable(folder: string): Promise<boolean> {
  const files = ['.', 'cgroup.procs', 'cgroup.subtree_control']
  const tried = files.map((file) => access(join(folder, file), constants.W_OK))
  return (await Promise.allSettled(tried)).every(({ status }) => status === 'fulfilled')
}

/** Those that could be enabled: all at once, or else each that can. */
async function enable<T extends string>(folder: string, missing: readonly T[]): Promise<T[]> {
  const file = join(folder, 'cgroup.subtree_control')
  if (await written(file, missing.map((each) => `+${each}`).join(' '))) return [...missing]
  const added: T[] = []
  for (const each of missing) if (await written(file, `+${each}`)) added.push(each)
  return added
}

/** The ids of who was moved; undefined where somebody is in the group who is not of us. */
async function moveDown(folder: string, proc: string): Promise<number[] | undefined> {
  const leaf = join(folder, LEAF)
  const pids = await processesIn(folder)
  const ours = await Promise.all(pids.map((pid) => isOurs(pid, proc)))
  if (ours.includes(false)) return undefined
  await mkdir(leaf).catch(() => {})
  const moved: number[] = []
  for (const pid of pids) {
    if (await written(join(leaf, 'cgroup.procs'), String(pid))) moved.push(pid)
  }
  return moved
}

async function moveUp(folder: string, pids: readonly number[]): Promise<void> {
  for (const pid of pids) await written(join(folder, 'cgroup.procs'), String(pid))
  await rmdir(join(folder, LEAF)).catch(() => {})
}

/** Somebody above or below us, or ourselves. Who is not seen from here (0) is not. */
async function isOurs(pid: number, proc: string): Promise<boolean> {
  return (
    pid > 0 &&
    ((await above(pid, proc)).includes(process.pid) ||
      (await above(process.pid, proc)).includes(pid))
  )
}

/** A process and those above it. */
async function above(pid: number, proc: string): Promise<number[]> {
  const chain: number[] = []
  for (let next = pid; next > 0 && !chain.includes(next); ) {
    chain.push(next)
    const status = await readFile(join(proc, String(next), 'status'), 'latin1').catch(() => '')
    next = Number(/^PPid:\s+(\d+)/m.exec(status)?.[1] ?? 0)
  }
  return chain
}

async function processesIn(folder: string): Promise<number[]> {
  return (await words(join(folder, 'cgroup.procs'))).map(Number)
}

async function words(file: string): Promise<string[]> {
  const text = await readFile(file, 'utf8').catch(() => '')
  return text.split(/\s+/).filter((word) => word !== '')
}

function written(file: string, text: string): Promise<boolean> {
  return writeFile(file, text).then(
    () => true,
    () => false,
  )
}

function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  )
}
