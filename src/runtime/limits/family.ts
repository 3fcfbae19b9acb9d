import { readdirSync } from 'node:fs'
import { type ProcessStat, readStatNow } from '../proc.ts'

/** Processes by their id, as they were seen in one look at all. */
export type Family = Map<number, Relative>

export interface Relative extends Pick<ProcessStat, 'parent' | 'threads' | 'pages' | 'start'> {
  readonly pid: number
}

/**
 * All below a process. Below the first one of a process namespace is all that is in it: who loses
 * its parent becomes its child. Without `all` they are looked at now.
 */
export function familyBelow(leader: number, all: Family = lookNow()): Relative[] {
  const children = childrenOf(all)
  const found = [...(children.get(leader) ?? [])]
  for (const { pid } of found) found.push(...(children.get(pid) ?? []))
  return found
}

/** Once for each look, however many groups it is for. */
function childrenOf(all: Family): ReadonlyMap<number, readonly Relative[]> {
  const known = children.get(all)
  if (known !== undefined) return known
  const found = new Map<number, Relative[]>()
  for (const each of all.values()) {
    const siblings = found.get(each.parent)
    if (siblings === undefined) found.set(each.parent, [each])
    else siblings.push(each)
  }
  children.set(all, found)
  return found
}

const children = new WeakMap<Family, ReadonlyMap<number, readonly Relative[]>>()

function lookNow(): Family {
  const all: Family = new Map()
  for (const name of readdirSync('/proc')) {
    const pid = Number(name)
    const stat = Number.isInteger(pid) ? readStatNow(pid) : undefined
    if (stat !== undefined) all.set(pid, { pid, ...stat })
  }
  return all
}
