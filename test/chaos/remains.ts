import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type Docker from 'dockerode'
import { MARK } from '../../src/mark.ts'
import { containersOf } from '../harness/engine.ts'
import { commandLine, isAlive, processIds } from '../harness/processes.ts'

/** By what the things of one gateway are known, whether it lives or not. */
export interface Traces {
  /** Its id, with which the marks of its processes begin. */
  readonly gateway: string
  /** What stands in the command lines of its tools. */
  readonly mark: string
  /** Holds its cache and its workspace. */
  readonly folder: string
  readonly docker?: Docker | undefined
}

/** Each thing in words, by its kind. */
export type Remains = Readonly<Record<(typeof KINDS)[number], readonly string[]>>

export const KINDS = [
  'processes',
  'containers',
  'networks',
  'rules',
  'cgroups',
  'mounts',
  'sockets',
  'files',
] as const

/** Looks on this whole machine for all that a gateway has, or has left. */
export function remainsOf(traces: Traces): () => Promise<Remains> {
  // The engine lists a container no more when it is gone; its cgroups have its id for a name.
  const seen = new Set([traces.gateway])
  return async () => {
    const { docker, gateway } = traces
    const label = [`toolgate.gateway=${gateway}`]
    const filters = { label }
    const containers = docker === undefined ? [] : await containersOf(docker, label)
    const networks = (await docker?.listNetworks({ filters: filters as never })) ?? []
    for (const { Id } of containers) seen.add(Id)
    const found = processes(traces, seen)
    return {
      processes: found.map((pid) => `${pid}: ${commandLine(pid)}`),
      containers: containers.map(({ Names, State }) => `${Names.join()} ${State}`),
      networks: [...networks.map(({ Name }) => Name), ...bridges(gateway)],
      rules: rules(gateway),
      cgroups: below('/sys/fs/cgroup', (name) => hasAny(name, seen)),
      mounts: mounts(traces),
      sockets: linesOf('/proc/net/unix').filter((line) => line.includes(gateway)),
      files: files(traces),
    }
  }
}

/** Only those kinds of which there is something; none: nothing is left. */
export function nonEmpty(remains: Remains): Partial<Remains> {
  return Object.fromEntries(Object.entries(remains).filter(([, things]) => things.length > 0))
}

/** By their environment, their command line or their group: each may be lost. Zombies are gone. */
function processes({ gateway, mark }: Traces, seen: ReadonlySet<string>): number[] {
  return processIds().filter(
    (pid) =>
      pid !== process.pid &&
      isAlive(pid) &&
      (read(`/proc/${pid}/environ`).includes(`${MARK}=${gateway}.`) ||
        commandLine(pid).includes(mark) ||
        hasAny(read(`/proc/${pid}/cgroup`), seen)),
  )
}

/** Ours: whatever is mounted in the folder. In the namespaces of others: what names the gateway. */
function mounts({ gateway, folder }: Traces): string[] {
  const own = linesOf('/proc/self/mountinfo').filter((line) => line.includes(`${folder}/`))
  const others = new Map<string, number>()
  for (const pid of processIds()) others.set(namespaceOf(pid), pid)
  others.delete(namespaceOf(process.pid))
  const theirs = [...others.values()].flatMap((pid) => linesOf(`/proc/${pid}/mountinfo`))
  return [...own, ...theirs.filter((line) => line.includes(gateway))]
}

function namespaceOf(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/ns/mnt`)
  } catch {
    return ''
  }
}

/** Of their networks, also where the engine has forgotten them. */
function bridges(gateway: string): string[] {
  const names = namesIn('/sys/class/net').map(({ name }) => name)
  return names.filter((name) => name.startsWith(`tg${gateway.slice(0, 8)}`))
}

/** Of the firewall. */
function rules(gateway: string): string[] {
  return ['iptables', 'ip6tables'].flatMap((program) => {
    const { stdout } = spawnSync(program, ['-w', '-S'], { encoding: 'utf8' })
    return (stdout ?? '').split('\n').filter((line) => line.includes(gateway))
  })
}

/**
 * What has its id for a name, and drafts that nobody finished. What is written down of it for the
 * next ones stays where its engine may make a container yet: a minute.
 */
function files({ gateway, folder }: Traces): string[] {
  const ours = (name: string) => name.includes(gateway) || DRAFT.test(name)
  const records = ['gateways', 'engines'].map((name) => join(folder, 'cache', name, gateway))
  const isAwaited = namesIn(records[1] ?? '').some(({ name }) => name.startsWith(gateway))
  return [
    ...below(folder, ours).filter((path) => !(isAwaited && records.includes(path))),
    ...namesIn(tmpdir())
      .filter(({ name }) => name.includes(gateway))
      .map(({ name }) => join(tmpdir(), name)),
  ]
}

const DRAFT = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/

/** Paths below a folder whose last name fits; what lies in such a folder is not told apart. */
function below(folder: string, fits: (name: string) => boolean): string[] {
  return namesIn(folder).flatMap(({ name, isFolder }) => {
    const path = join(folder, name)
    if (fits(name)) return [path]
    return isFolder ? below(path, fits) : []
  })
}

function namesIn(folder: string): { name: string; isFolder: boolean }[] {
  try {
    const entries = readdirSync(folder, { withFileTypes: true })
    return entries.map((entry) => ({ name: entry.name, isFolder: entry.isDirectory() }))
  } catch {
    return []
  }
}

function hasAny(text: string, names: ReadonlySet<string>): boolean {
  return [...names].some((name) => text.includes(name))
}

function linesOf(path: string): string[] {
  return read(path).split('\n')
}

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}
