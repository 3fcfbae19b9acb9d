import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, constants, readFileSync } from 'node:fs'
import { GATEWAY } from '../../../src/mark.ts'
import type { LimitGroup } from '../../../src/runtime/limits/limits.ts'
import { absent } from '../../harness/services.ts'
import { until } from '../../harness/until.ts'

/** Why these tests are skipped; false: they run. */
export const noCgroups = writable() ? absent('unshare') : 'there is no cgroup v1 to write to'
export const noNamespaces = process.getuid?.() === 0 ? absent('unshare') : 'needs root'

let count = 0

/** A mark of this gateway, or of another. */
export function mark(gateway = GATEWAY): string {
  count += 1
  return `${gateway}.limits.${process.pid}-${count}`
}

export interface Contained {
  /** Outside and inside, as bubblewrap has them. */
  readonly pids: readonly [outer: number, inner: number]
  readonly child: ChildProcess
  /** What it printed; its end is waited for. */
  readonly said: Promise<string>
  begin(): void
  kill(): void
}

/** A program below the first process of a process namespace, which waits for `begin`. */
export function contain(...command: readonly string[]): Promise<Contained> {
  return containIn({ entrance: [] }, command)
}

/** The same by the entrance of a group, where it has one. */
export async function containIn(
  { entrance }: Pick<LimitGroup, 'entrance'>,
  command: readonly string[],
): Promise<Contained> {
  const words = ['--pid', '--fork', '--kill-child', '--mount-proc', 'sh', '-c', FIRST, 'sh']
  const [program = '', ...args] = [...entrance, 'unshare', ...words, ...command]
  const child = spawn(program, args, {
    detached: true,
    // Another user may not write there.
    env: { ...process.env, NODE_V8_COVERAGE: undefined },
  })
  const outer = child.pid ?? 0
  if (outer === 0) throw new Error('unshare could not be started')
  const inner = await until(
    'the first process inside',
    () => Number(readFileSync(`/proc/${outer}/task/${outer}/children`, 'utf8')) || undefined,
  )
  let said = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text
    })
  return {
    pids: [outer, inner],
    child,
    said: once(child, 'close').then(() => said.trim()),
    begin: () => void child.stdin.write('\n'),
    kill: () => {
      try {
        process.kill(-outer, 'SIGKILL')
      } catch {
        // It has ended.
      }
    },
  }
}

const FIRST = 'read _; "$@"; exit $?'

/** Python that ends itself after some seconds, whatever happens. */
export function python(program: string): string[] {
  return ['/usr/bin/python3', '-c', `import os, signal, time\nsignal.alarm(20)\n${program}`]
}

/** Runs in the group until its end, and then removes it. */
export async function runIn(group: LimitGroup, command: readonly string[]) {
  const tool = await containIn(group, command)
  const breaches: string[] = []
  try {
    await group.enter(tool.pids)
    group.onBreach((why) => {
      breaches.push(why)
      tool.kill()
    })
    tool.begin()
    const said = await tool.said
    const { exitCode, signalCode } = tool.child
    return { said, exitCode, signalCode, breaches, breach: group.breach(), usage: group.usage() }
  } finally {
    tool.kill()
    await group.remove()
  }
}

/** Python that takes memory, 5 MB each 5 ms, at most 200 MB. */
export const TAKES_MEMORY = `held = []
for _ in range(40):
  held.append(b'x' * (5 << 20))
  time.sleep(0.005)
time.sleep(15)`

function writable(): boolean {
  try {
    accessSync('/sys/fs/cgroup/memory/memory.limit_in_bytes', constants.R_OK)
    accessSync('/sys/fs/cgroup/pids', constants.W_OK)
    return true
  } catch {
    return false
  }
}
