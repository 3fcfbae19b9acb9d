import { type ChildProcess, spawn } from 'node:child_process'
import { setTimeout as wait } from 'node:timers/promises'
import { descendantsOf, isAlive } from '../measure/proc.ts'

/** A server that the bench started, in a process group of its own. */
export interface Server {
  readonly pid: number
  readonly url: string
  /** `performance.now()` just before it was spawned. */
  readonly startedAt: number
  /** TERM, 15 s, then KILL; then whatever it left behind. */
  end(): Promise<void>
}

const open = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of open) {
    const below = child.pid === undefined ? [] : (descendantsOf(child.pid) ?? [])
    signalGroup(child, 'SIGKILL')
    for (const { pid } of below) signal(pid, 'SIGKILL')
  }
})

/**
 * Starts a Node program and waits until `urlIn` finds its URL in what it prints, or, where that
 * is a promise, until that resolves. Rejects with the end of its stderr if it exits before.
 */
export async function startServer(
  args: readonly string[],
  urlIn: ((line: string) => string | null) | Promise<string>,
): Promise<Server> {
  const startedAt = performance.now()
  const child = spawn(process.execPath, args, {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  open.add(child)
  const url = Promise.withResolvers<string>()
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-2_000)
  })
  child.once('exit', (code, signal) => {
    open.delete(child)
    url.reject(new Error(`${args.join(' ')} ended with ${code ?? signal}: ${said}`))
  })
  if (typeof urlIn === 'function') firstLine(child, urlIn, url.resolve)
  else {
    child.stdout.resume()
    urlIn.then(url.resolve, url.reject)
  }
  const timer = setTimeout(() => url.reject(new Error(`No URL in 60 s: ${said}`)), 60_000)
  try {
    return { pid: child.pid as number, url: await url.promise, startedAt, end: () => end(child) }
  } catch (error) {
    await end(child)
    throw error
  } finally {
    clearTimeout(timer)
  }
}

/** Flags of Node that leave a CPU profile in a folder when the server ends; none for null. */
export function profilingOf(folder: string | null, name: string): string[] {
  if (folder === null) return []
  const file = `${name}.${Date.now()}.cpuprofile`
  return ['--cpu-prof', `--cpu-prof-dir=${folder}`, `--cpu-prof-name=${file}`]
}

/** The URL of a line of JSON with `"msg":"listening"`. */
export function urlOfListening(line: string): string | null {
  if (!line.startsWith('{') || !line.includes('"listening"')) return null
  const { msg, url } = JSON.parse(line)
  return msg === 'listening' ? url : null
}

// What comes later is read and thrown away unseen, so that a server's log costs the bench nothing.
function firstLine(
  child: ChildProcess,
  urlIn: (line: string) => string | null,
  found: (url: string) => void,
): void {
  let text = ''
  const read = (chunk: Buffer) => {
    text += chunk
    const lines = text.split('\n')
    text = lines.pop() ?? ''
    const url = lines.map(urlIn).find((url) => url !== null)
    if (url === undefined || url === null) return
    child.stdout?.off('data', read).resume()
    found(url)
  }
  child.stdout?.on('data', read)
}

async function end(child: ChildProcess): Promise<void> {
  if (child.pid === undefined) return
  const left = descendantsOf(child.pid) ?? []
  if (open.has(child)) {
    const exited = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGTERM')
    const late = new AbortController()
    const kill = wait(15_000, undefined, { signal: late.signal }).then(
      () => signalGroup(child, 'SIGKILL'),
      () => {},
    )
    await exited
    late.abort()
    await kill
  }
  for (const { pid } of left.filter(isAlive)) signal(pid, 'SIGKILL')
}

function signalGroup(child: ChildProcess, name: NodeJS.Signals): void {
  if (child.pid !== undefined) signal(-child.pid, name)
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch {
    // It has ended by itself.
  }
}
