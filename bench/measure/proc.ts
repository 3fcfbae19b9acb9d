import { readdirSync, readFileSync } from 'node:fs'

// The kernel counts in ticks of 10 ms, on every Linux that Node runs on.
const TICK = 10

/** CPU time of one process without its children, in ms; null where there is no /proc. */
export function cpuOf(pid: number): number | null {
  return nanosecondsOf(pid) ?? ticksOf(pid)
}

// Finer than ticks, where the kernel counts it; the threads of Node live as long as their process.
function nanosecondsOf(pid: number): number | null {
  try {
    const threads = readdirSync(`/proc/${pid}/task`).map((thread) =>
      readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8'),
    )
    const sum = threads.reduce((sum, text) => sum + Number.parseInt(text, 10), 0)
    return sum > 0 ? sum / 1e6 : null
  } catch {
    return null
  }
}

function ticksOf(pid: number): number | null {
  const fields = statOf(pid)
  return fields && (Number(fields[11]) + Number(fields[12])) * TICK
}

/** Resident memory of one process in MB (2^20 bytes); null where there is no /proc. */
export function memoryOf(pid: number): number | null {
  try {
    const [, kilobytes] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
    return kilobytes === undefined ? null : Number(kilobytes) / 1024
  } catch {
    return null
  }
}

export interface Process {
  readonly pid: number
  /** Ticks since boot; with the pid it names a process for good. */
  readonly started: string
  readonly command: string
}

/** Every process below `pid`; null where there is no /proc. */
export function descendantsOf(pid: number): Process[] | null {
  if (statOf(process.pid) === null) return null
  const children = new Map<number, number[]>()
  for (const entry of readdirSync('/proc')) {
    const child = Number(entry)
    const fields = Number.isInteger(child) ? statOf(child) : null
    if (fields === null || fields[0] === 'Z') continue
    const parent = Number(fields[1])
    children.set(parent, [...(children.get(parent) ?? []), child])
  }
  const found: number[] = []
  for (let level = [pid]; level.length > 0; ) {
    level = level.flatMap((parent) => children.get(parent) ?? [])
    found.push(...level)
  }
  return found.flatMap((child) => {
    const started = startOf(child)
    return started === null ? [] : [{ pid: child, started, command: commandOf(child) }]
  })
}

/** True while it is this very process that has the pid. */
export function isAlive({ pid, started }: Process): boolean {
  return startOf(pid) === started && statOf(pid)?.[0] !== 'Z'
}

function startOf(pid: number): string | null {
  return statOf(pid)?.[19] ?? null
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()
  } catch {
    return ''
  }
}

// Fields from `state` on: the name before them may hold spaces and brackets.
function statOf(pid: number): string[] | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return text.slice(text.lastIndexOf(')') + 2).split(' ')
  } catch {
    return null
  }
}
