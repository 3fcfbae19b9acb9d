import { rmdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { readAccount } from './accounts.ts'

/**
 * Kills what is in a group and removes it; true when it is gone. A process takes its time to end
 * after it was killed, at most `GIVE_UP` is waited for that. Never rejects.
 */
export async function endGroup(folder: string): Promise<boolean> {
  if (await removed(folder)) return true
  // Nothing more is born in it while its processes are killed one after the other.
  await writeFile(join(folder, 'pids.max'), '0', EXISTING).catch(() => {})
  const until = performance.now() + GIVE_UP
  for (let pause = 2; performance.now() < until; pause = Math.min(2 * pause, 100)) {
    await killMembers(folder)
    await wait(pause)
    if (await removed(folder)) return true
  }
  return false
}

/** Ids of the processes in a group; of those in other process namespaces the kernel says 0. */
export function membersOf(folder: string): number[] {
  const pids = readAccount(join(folder, 'cgroup.procs')).split('\n').map(Number)
  return pids.filter((pid) => pid > 1 && pid !== process.pid)
}

/** Version 2 kills all at once; without that, by their ids, read at this very moment. */
async function killMembers(folder: string): Promise<void> {
  try {
    await writeFile(join(folder, 'cgroup.kill'), '1', EXISTING)
  } catch {
    for (const pid of membersOf(folder)) kill(pid)
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended.
  }
}

async function removed(folder: string): Promise<boolean> {
  try {
    await rmdir(folder)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT'
  }
}

const EXISTING = { flag: 'r+' } as const

/** Milliseconds. */
const GIVE_UP = 5_000
