import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { availableParallelism, cpus, loadavg, release, type as system, totalmem } from 'node:os'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))

/** Where and with what a run was made. */
export interface Stamp {
  readonly date: string
  /** Short hash of the commit, with `-dirty` where files differ from it. */
  readonly commit: string
  readonly machine: Readonly<Record<string, string>>
  readonly versions: Readonly<Record<string, string>>
  readonly flags: string
}

export function makeStamp(flags: string, peers: Readonly<Record<string, string>>): Stamp {
  return {
    date: new Date().toISOString(),
    commit: commit(),
    machine: {
      cpu: cpus()[0]?.model ?? 'unknown',
      cores: String(availableParallelism()),
      memory: `${Math.round(totalmem() / 2 ** 30)} GB`,
      system: `${system()} ${release()}`,
      'load before the run': loadavg()[0]?.toFixed(2) ?? '',
    },
    versions: {
      node: process.version,
      v8: process.versions.v8,
      toolgate: versionIn('package.json'),
      express: versionIn('node_modules/express/package.json'),
      'server-everything': versionIn(
        'node_modules/@modelcontextprotocol/server-everything/package.json',
      ),
      ...peers,
    },
    flags,
  }
}

function versionIn(file: string): string {
  return JSON.parse(readFileSync(`${ROOT}${file}`, 'utf8')).version
}

function commit(): string {
  try {
    const git = (...args: string[]) =>
      execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' }).trim()
    const changed = git('status', '--porcelain', '--untracked-files=no', 'src', 'bench') !== ''
    return `${git('rev-parse', '--short', 'HEAD')}${changed ? '-dirty' : ''}`
  } catch {
    return 'unknown'
  }
}
