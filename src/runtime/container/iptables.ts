import { readFile } from 'node:fs/promises'
import type { Environment } from '../../config/environment.ts'
import { findProgram } from '../cell/host.ts'

/** A rule as `iptables -S` has it, without the `-A`: the chain, and what follows it. */
export type Rule = readonly [chain: string, ...words: string[]]

/** What the program said. */
export class FilterError extends Error {}

/** The packet filter of one version of IP. Its methods reject with a `FilterError`. */
export class Filter {
  readonly #program: string

  /** @param program Absolute path of iptables, or of ip6tables. */
  constructor(program: string) {
    this.#program = program
  }

  /** Before all other rules of its chain. */
  async insert([chain, ...words]: Rule): Promise<void> {
    await this.#run(['-I', chain, '1', ...words])
  }

  async has(rule: Rule): Promise<boolean> {
    return (await this.#run(['-C', ...rule], true)) !== undefined
  }

  /** One of those that are alike; false where there is none. */
  async remove(rule: Rule): Promise<boolean> {
    return (await this.#run(['-D', ...rule], true)) !== undefined
  }

  /** All of them, also those that are not ours. */
  async rules(): Promise<Rule[]> {
    const lines = (await this.#run(['-S']))?.split('\n') ?? []
    return lines.flatMap((line) => {
      const [verb, chain, ...words] = line.split(' ').map((word) => word.replace(/^"(.*)"$/, '$1'))
      return verb === '-A' && chain !== undefined ? [[chain, ...words] as Rule] : []
    })
  }

  /** What it wrote; undefined where there is no such rule and `mayMiss`. */
  async #run(args: readonly string[], mayMiss = false): Promise<string | undefined> {
    const { execa } = await import('execa')
    const { failed, stdout, stderr, shortMessage } = await execa(this.#program, ['-w', ...args], {
      env: {},
      extendEnv: false,
      stdin: 'ignore',
      reject: false,
      timeout: PATIENCE,
    })
    if (!failed) return stdout
    if (mayMiss && stderr.includes('does a matching rule exist')) return undefined
    const said = stderr.trim().split('\n')[0]
    throw new FilterError(said || shortMessage)
  }
}

/** Of each version of IP that this machine speaks: IPv4 first. */
export type Filters = readonly Filter[]

/**
 * The packet filters of this machine, not yet tried; what keeps the gateway from them is said
 * instead. `environment` is the gateway's, for its PATH; `places` are looked at after it, for a
 * PATH often lacks what only root can use.
 */
export async function findFilters(
  environment: Environment,
  places: readonly string[] = ['/usr/sbin', '/sbin'],
): Promise<Filters | string> {
  if (process.platform !== 'linux') return 'packet filters need Linux'
  if (process.getuid?.() !== 0) return 'the gateway is not root'
  const path = [environment.PATH ?? '', ...places].join(':')
  const names = (await speaksIpv6()) ? ['iptables', 'ip6tables'] : ['iptables']
  const programs: string[] = []
  for (const name of names) {
    const program = await findProgram(name, path)
    if (program === undefined) return `${name} is not installed`
    programs.push(program)
  }
  return programs.map((program) => new Filter(program))
}

/** Its own loopback has an address then. */
async function speaksIpv6(): Promise<boolean> {
  return (await readFile('/proc/net/if_inet6', 'utf8').catch(() => '')) !== ''
}

/** Milliseconds; it waits for others that set rules. */
const PATIENCE = 10_000
