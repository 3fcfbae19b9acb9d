import type { HostConfig } from 'dockerode'
import type { Config } from '../../config/config.ts'
import type { Declaration, Policy } from '../../tool/declaration.ts'
import { boundsOf, sizeOf } from '../cell/bounds.ts'
import type { Cell, CellLine } from '../cell/cell.ts'
import { WORKSPACE } from '../cell/native.ts'
import type { EngineFacts } from './engine.ts'
import { networkPart } from './network-part.ts'
import { isWaived, type Part } from './part.ts'
import { filterFor, REFUSED_INSIDE } from './seccomp.ts'
import { tmpfsOf } from './tmpfs.ts'
import { refusedUser } from './user.ts'

/** The cell of a container: its lines, and the options of the engine that make them true. */
export interface ContainerCell extends Cell {
  readonly kind: 'container'
  /** All that does not depend on the instance: its mounts, its network and its user do. */
  readonly host: HostConfig
}

/**
 * Resolves the cell of a container tool on an engine. `digest` is of its image, where it is known;
 * `noWall` is why this machine's services cannot be kept from its network, null where they can.
 */
export function resolveContainerCell(
  tool: Pick<Declaration, 'policy'>,
  config: Pick<Config, 'cache' | 'cells' | 'sandbox'>,
  facts: EngineFacts = MODERN,
  digest: string | null = null,
  noWall: string | null = null,
): ContainerCell {
  const { policy } = tool
  const parts = [
    image(digest),
    namespaces(facts),
    networkPart(policy, config, { noWall, podman: facts.podman }),
    privileges(policy, facts, config),
    root(policy),
    scratch(policy, facts, config),
    mounts(policy, config),
    environment(policy),
    limits(policy, config, facts),
  ]
  return {
    kind: 'container',
    lines: parts.flatMap(({ lines }) => lines),
    refusals: parts.flatMap(({ refusals = [] }) => refusals),
    host: Object.assign({ ...ALWAYS }, ...parts.map(({ host }) => host ?? {})),
  }
}

/** What no file can relax. */
const ALWAYS: HostConfig = {
  Privileged: false,
  PublishAllPorts: false,
  AutoRemove: true,
  // Ends what a tool leaves behind, and passes signals on.
  Init: true,
  RestartPolicy: { Name: 'no' },
  // Its output is a protocol, and nobody's log.
  LogConfig: { Type: 'none', Config: {} },
}

/** Where the engine is not asked: one that can do everything. */
const MODERN: EngineFacts = {
  api: 41,
  rootless: false,
  cgroup: 2,
  groups: true,
  bounds: { memory: true, swap: true, cpus: true, processes: true },
  seccomp: true,
  podman: false,
  elsewhere: false,
}

function image(digest: string | null): Part {
  const rule = digest ?? 'not pulled yet'
  return { lines: [{ what: 'image', rule, by: 'engine: image by digest' }] }
}

function namespaces({ api, cgroup }: EngineFacts): Part {
  const own = api >= 41 && cgroup === 2
  return {
    lines: [
      { what: 'processes of others', rule: 'not seen, not signalled', by: 'engine: PID namespace' },
      { what: 'shared memory and queues of others', rule: 'not reached', by: 'engine: IpcMode' },
      { what: 'host name', rule: 'its own', by: 'engine: UTS namespace' },
      ...(own ? [{ what: 'control groups', rule: 'not seen', by: 'engine: CgroupnsMode' }] : []),
    ],
    host: { IpcMode: 'private', ...(own && { CgroupnsMode: 'private' as const }) },
  }
}

function filterRule(own: boolean, filtered: boolean): string {
  if (own) return `refused: ${REFUSED_INSIDE.join(', ')}`
  return filtered ? "the engine's own filter" : 'no filter of the engine’s own'
}

function privileges(policy: Policy, facts: EngineFacts, { cache }: Pick<Config, 'cache'>): Part {
  const { container } = policy
  const { capAdd, capDrop, securityOpt, user } = container
  const own = securityOpt.some((option) => /^no-new-privileges\b/.test(option))
  const named = securityOpt.some((option) => /^seccomp\b/.test(option))
  const filter = named ? undefined : filterFor(facts, cache)
  const filtering = filter === undefined ? [] : [`seccomp=${filter}`]
  const options = [...(own ? [] : ['no-new-privileges']), ...filtering, ...securityOpt]
  const given = capAdd.length === 0 ? '' : `; given: ${capAdd.join(', ')}`
  const filtered = facts.seccomp && !named
  const refused = [
    ...securityOpt.filter((option) => /privileged/i.test(option.replace(/no-new-privileges/i, ''))),
    ...capAdd.filter((name) => /^(?:CAP_)?ALL$/i.test(name)),
  ]
  const nameless = refusedUser(policy)
  return {
    lines: [
      {
        what: 'user',
        rule:
          user ?? "its folder's, else the image's own unless that is root, else one without a name",
        by: 'engine: User',
      },
      {
        what: 'capabilities',
        rule: `dropped: ${capDrop.join(', ') || 'none'}${given}`,
        by: 'engine: CapDrop',
      },
      {
        what: 'new privileges',
        rule: own ? `as its file says: ${securityOpt.join(', ')}` : 'none',
        by: 'engine: no-new-privileges',
      },
      {
        what: 'system calls',
        rule: filterRule(filter !== undefined, filtered),
        by: filtered ? 'engine: seccomp' : null,
      },
      ...securityOpt.map((option) => ({
        what: 'security option',
        rule: `${option}, by its file`,
        by: 'engine: SecurityOpt',
      })),
      { what: 'privileged', rule: 'never', by: 'engine: Privileged' },
    ],
    host: { CapDrop: [...capDrop], CapAdd: [...capAdd], SecurityOpt: options },
    refusals: [
      ...refused.map((word) => `${word} would make the container a privileged one`),
      ...(nameless === undefined ? [] : [nameless]),
    ],
  }
}

function root({ container: { readOnly } }: Policy): Part {
  const rule = readOnly ? 'read-only' : 'written to by its file’s word, and gone with it'
  return {
    lines: [{ what: '/', rule, by: 'engine: ReadonlyRootfs' }],
    host: { ReadonlyRootfs: readOnly },
  }
}

function scratch(policy: Policy, facts: EngineFacts, { cells }: Pick<Config, 'cells'>): Part {
  const by = 'engine: Tmpfs'
  const places = tmpfsOf(policy.container, [], { size: cells.tmp, podman: facts.podman })
  const rule = `its own, at most ${sizeOf(cells.tmp)}`
  return {
    lines: [
      ...Object.entries(places).map(([what, options]) => ({ what, rule: options, by })),
      { what: '/dev/shm', rule, by: 'engine: ShmSize' },
      { what: 'volumes of the image', rule: `each empty, at most ${sizeOf(cells.tmp)}`, by },
    ],
    host: { ShmSize: cells.tmp },
  }
}

function mounts(
  { workspace: { access, per }, files }: Policy,
  { cells }: Pick<Config, 'cells'>,
): Part {
  const by = 'engine: Mounts'
  const whose = { tool: 'of the tool', caller: 'of each caller', session: 'of each session' }[per]
  const rule = access === 'none' ? 'none' : `${access}, one ${whose}, at ${WORKSPACE}`
  return {
    lines: [
      { what: 'workspace', rule, by },
      ...(access === 'read-write' ? [disk(cells)] : []),
      ...files.read.map((what) => ({ what, rule: 'read-only', by })),
      ...files.write.map((what) => ({ what, rule: 'read-write', by })),
      { what: 'sockets of container engines', rule: 'never', by: 'refused at start' },
    ],
  }
}

function disk(cells: Config['cells']): CellLine {
  const by = process.platform === 'linux' ? 'a watchdog that ends the tool' : null
  return { what: 'disk in the workspace', rule: `at most ${sizeOf(cells.disk)}`, by }
}

function environment({ env, secrets }: Policy): Part {
  const names = [...env, ...Object.keys(secrets)]
  const rule =
    names.length === 0 ? 'nothing of the gateway’s' : `of the gateway’s only ${names.join(', ')}`
  return { lines: [{ what: 'environment', rule, by: 'engine: Env' }] }
}

function limits(
  policy: Policy,
  config: Pick<Config, 'cells' | 'sandbox'>,
  { bounds: can }: EngineFacts,
): Part {
  const waived = isWaived(policy, config)
  const { memory, processes, cpus } = boundsOf(policy, config.cells)
  const cannot = (what: string) =>
    waived ? [] : [`the container engine cannot limit ${what}; sandbox: 'none' lets it go`]
  return {
    lines: [
      {
        what: 'memory',
        rule: `at most ${sizeOf(memory)}, ${can.swap ? 'with no swap' : 'and swap without a bound'}`,
        by: can.memory ? `engine: Memory${can.swap ? ', MemorySwap' : ''}` : null,
      },
      {
        what: 'processes and threads',
        rule: `at most ${processes}`,
        by: can.processes ? 'engine: PidsLimit' : null,
      },
      cpus === null
        ? { what: 'processors', rule: 'all', by: 'nothing is in its way' }
        : { what: 'processors', rule: `at most ${cpus}`, by: can.cpus ? 'engine: NanoCpus' : null },
    ],
    host: {
      ...(can.memory && { Memory: memory, MemorySwap: memory }),
      ...(can.processes && { PidsLimit: processes }),
      ...(cpus !== null && can.cpus && { NanoCpus: Math.round(cpus * 1e9) }),
    },
    refusals: [
      ...(can.memory ? [] : cannot('memory')),
      ...(can.processes ? [] : cannot('processes')),
      ...(cpus === null || can.cpus ? [] : cannot('processors')),
    ],
  }
}
