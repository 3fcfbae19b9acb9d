import { spawn } from 'node:child_process'
import type { Members } from './body.ts'

/**
 * A process group that is ours to end: the child we started leads it, and whatever it starts
 * stays in it, so that wrappers (`npx`, a shell) leave nobody behind. On Windows, which has no
 * groups, it is the tree of processes below the child.
 */
export class ProcessGroup implements Members {
  protected readonly leader: number

  constructor(leader: number) {
    this.leader = leader
    groups.add(this)
    if (groups.size === 1) process.on('exit', killAll)
  }

  /** Sends a signal to every member; false when none is left. */
  signal(signal: NodeJS.Signals | 0): boolean {
    if (process.platform === 'win32') return signalTree(this.leader, signal)
    try {
      process.kill(-this.leader, signal)
      return true
    } catch (error) {
      // EPERM: a member changed its user; it is alive, though not ours to end any more.
      return (error as NodeJS.ErrnoException).code === 'EPERM'
    }
  }

  /** Waits until no member is left, at most `milliseconds`; true when the group is empty. */
  async emptied(milliseconds: number): Promise<boolean> {
    const until = performance.now() + milliseconds
    while (this.signal(0)) {
      const left = until - performance.now()
      if (left <= 0) return false
      await new Promise((resolve) => setTimeout(resolve, Math.min(left, POLL)))
    }
    return true
  }

  /** Forgets the group; it is not ended at exit any more. */
  async release(): Promise<void> {
    groups.delete(this)
    if (groups.size === 0) process.off('exit', killAll)
  }
}

/** Milliseconds between two looks at a group; the kernel has no event for an empty group. */
const POLL = 25

const groups = new Set<ProcessGroup>()

/** The last resort: whatever is left when the gateway's process ends is killed with it. */
function killAll(): void {
  for (const group of groups) group.signal('SIGKILL')
}

/**
 * Windows knows no TERM: a program that heeds its closed stdin has ended by now, and the others
 * are ended with all they started (`taskkill /T`).
 */
function signalTree(leader: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(leader, 0)
  } catch {
    return false
  }
  if (signal === 'SIGKILL' || signal === 'SIGTERM') {
    const options = { stdio: 'ignore', windowsHide: true, detached: true } as const
    spawn('taskkill', ['/pid', String(leader), '/T', '/F'], options)
      .on('error', () => {})
      .unref()
  }
  return true
}
