import { setTimeout as wait } from 'node:timers/promises'
import { markedProcesses } from './proc.ts'

/**
 * Ends what a process started outside its group (a daemonised grandchild has a session and a
 * parent of its own), known by the mark it inherited. Resolves when none is left, at most after
 * `GIVE_UP`. Linux only: elsewhere nobody can read another process's environment.
 */
export function endStragglers(mark: string): Promise<void> {
  if (process.platform !== 'linux') return Promise.resolve()
  return new Promise((resolve) => {
    waiting.set(mark, { since: performance.now(), resolve })
    if (waiting.size === 1) void sweep()
  })
}

interface Waiting {
  readonly since: number
  readonly resolve: () => void
}

const waiting = new Map<string, Waiting>()

/** One look at all processes serves all that end meanwhile. */
async function sweep(): Promise<void> {
  while (waiting.size > 0) {
    await wait(PAUSE)
    const looked = [...waiting]
    const found = await findMarked(new Set(waiting.keys()))
    const now = performance.now()
    for (const [mark, { since, resolve }] of looked) {
      const pids = found.get(mark) ?? []
      for (const pid of pids) signal(pid, now - since < POLITE ? 'SIGTERM' : 'SIGKILL')
      if (pids.length > 0 && now - since < GIVE_UP) continue
      waiting.delete(mark)
      resolve()
    }
  }
}

async function findMarked(marks: ReadonlySet<string>): Promise<Map<string, number[]>> {
  const found = new Map<string, number[]>()
  for await (const { pid, mark } of markedProcesses()) {
    if (marks.has(mark)) found.set(mark, [...(found.get(mark) ?? []), pid])
  }
  return found
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch {
    // It ended on its own.
  }
}

/** Milliseconds. */
const POLITE = 500
const GIVE_UP = 3000
const PAUSE = 200
