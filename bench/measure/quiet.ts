import { setTimeout as wait } from 'node:timers/promises'
import type { Isolated } from '../targets/isolated.ts'
import { cpuOf, descendantsOf } from './proc.ts'

/** Of what is watched may be used in one look, in ms: dockerd is never wholly at rest. */
const REST = 5
const LOOK = 100
/** After this it will not come to rest, and is measured all the same. */
const PATIENCE = 10_000

/**
 * Waits until every spare is there, every session's process has ended, and none of the bench's
 * processes does anything; false: it did not come to that.
 */
export async function untilQuiet(isolated: Isolated): Promise<boolean> {
  const until = performance.now() + PATIENCE
  while (!(await isReady(isolated))) {
    if (performance.now() > until) return false
    await wait(20)
  }
  for (let before = used(isolated); ; ) {
    await wait(LOOK)
    const now = used(isolated)
    let sum = 0
    for (const [pid, cpu] of now) sum += cpu - (before.get(pid) ?? 0)
    if (sum < REST) return true
    if (performance.now() > until) return false
    before = now
  }
}

async function isReady({ aims, spares }: Isolated): Promise<boolean> {
  for (const [way, { kind }] of aims) {
    if (kind === 'pipes') continue
    if ((await spares(way)) !== (/-(warm|initialized)$/.test(way) ? 1 : 0)) return false
  }
  return true
}

/** CPU in ms by process; all that was started is below the bench, but for containers. */
function used({ engine }: Isolated): Map<number, number> {
  const roots = [process.pid, ...(engine?.pids() ?? [])]
  const pids = roots.flatMap((root) => [root, ...(descendantsOf(root) ?? []).map(({ pid }) => pid)])
  const all = new Set(pids)
  // The bench itself only looks.
  all.delete(process.pid)
  return new Map([...all].map((pid) => [pid, cpuOf(pid) ?? 0]))
}
