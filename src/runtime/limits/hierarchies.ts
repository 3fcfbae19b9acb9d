import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'

/** A mounted hierarchy of control groups, and where in it this process is. */
export interface Hierarchy {
  readonly version: 1 | 2
  /** Such as `cpu` and `cpuacct`; of version 2 each group says which it has. */
  readonly controllers: readonly string[]
  /** Absolute path of where it is mounted. */
  readonly mount: string
  /** Absolute path of this process's own group. */
  readonly own: string
}

/**
 * The hierarchies that can be seen from here (cgroups(7), proc_pid_mountinfo(5)). `proc` is
 * `/proc`. None where this system has none.
 */
export async function findHierarchies(proc: string): Promise<Hierarchy[]> {
  const [groups, mounts] = await Promise.all([
    read(join(proc, 'self/cgroup')),
    read(join(proc, 'self/mountinfo')),
  ])
  return lines(groups).flatMap((line) => {
    const [, controllers = '', path = ''] = /^\d+:([^:]*):(.*)$/.exec(line) ?? []
    const mine = controllers.split(',')
    const version = controllers === '' ? 2 : 1
    // The last one mounted hides those before it.
    const mount = lines(mounts)
      .map(readMount)
      .findLast((each) => fits(each, version, mine))
    const below = mount === undefined ? undefined : belowRoot(path, mount.root)
    if (mount === undefined || below === undefined) return []
    return {
      version,
      controllers: mine,
      mount: mount.point,
      own: resolve(mount.point, `.${below}`),
    }
  })
}

interface Mount {
  readonly type: string
  /** Which group of the hierarchy its top shows. */
  readonly root: string
  readonly point: string
  readonly options: readonly string[]
}

function readMount(line: string): Mount {
  const [head = '', tail = ''] = line.split(' - ')
  const [, , , root = '', point = ''] = head.split(' ')
  const [type = '', , options = ''] = tail.split(' ')
  return { type, root: unescaped(root), point: unescaped(point), options: options.split(',') }
}

function fits({ type, options }: Mount, version: 1 | 2, controllers: readonly string[]): boolean {
  if (version === 2) return type === 'cgroup2'
  return type === 'cgroup' && controllers.every((each) => options.includes(each))
}

/** Undefined where our group lies outside of what is mounted. */
function belowRoot(path: string, root: string): string | undefined {
  if (path.split('/').includes('..')) return undefined
  if (root === '/' || root === path) return root === '/' ? path : '/'
  return path.startsWith(`${root}/`) ? path.slice(root.length) : undefined
}

/** The kernel writes blanks and backslashes of paths as `\040`. */
function unescaped(path: string): string {
  return path.replace(/\\([0-7]{3})/g, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  )
}

function lines(text: string): string[] {
  return text.split('\n').filter((line) => line !== '')
}

function read(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '')
}
