import { readdirSync, readFileSync } from 'node:fs'

/** Ids of every process below `pid`, from /proc. A zombie is gone. */
export function descendants(pid: number): number[] {
  const children = new Map<number, number[]>()
  for (const id of processIds()) {
    const parent = parentOf(id)
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), id])
  }
  const found = [...(children.get(pid) ?? [])]
  for (const id of found) found.push(...(children.get(id) ?? []))
  return found
}

/** Ids of every process with `mark` in its command line, whoever its parent has become. */
export function marked(mark: string): number[] {
  return processIds().filter((pid) => isAlive(pid) && commandLine(pid).includes(mark))
}

/** Whether the process runs; a zombie does not. */
export function isAlive(pid: number): boolean {
  return parentOf(pid) !== undefined
}

export function commandLine(pid: number): string {
  return read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ')
}

/** How many file descriptors the process has open: sockets, pipes and files. */
export function openDescriptors(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length
}

/** Ids of all processes. */
export function processIds(): number[] {
  return readdirSync('/proc').map(Number).filter(Number.isInteger)
}

function parentOf(pid: number): number | undefined {
  const [state, parent] = read(`/proc/${pid}/stat`)
    .replace(/^.*\) /s, '')
    .split(' ')
  return parent === undefined || state === 'Z' || state === 'X' ? undefined : Number(parent)
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

/** Resident memory of the process in bytes. */
export function memoryOf(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(read(`/proc/${pid}/status`))?.[1]) * 1024
}
