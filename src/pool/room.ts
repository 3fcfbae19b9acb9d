import type { Claim, Full } from './caps.ts'
import type { Entry } from './places.ts'
import type { Spares } from './spares.ts'

/**
 * Ends a process that serves nothing now, for one that is to be started: a spare first, then the
 * claimant's own. Nobody's only process makes room for somebody else; of several that a caller has
 * of the same tool one does, so that no caller keeps all of them. False: there is none.
 */
export function makeRoom(
  entries: ReadonlyMap<string, Entry>,
  spares: ReadonlyMap<string, Spares>,
  claim: Claim,
  full: Full,
): boolean {
  // What nobody waits for makes nobody else's place free.
  if (claim.priority === 'background') return false
  const tools = (key: string) => full === 'all' || key.startsWith(`${claim.tool} `)
  for (const [key, each] of spares) if (tools(key) && each.giveWay()) return true
  const held: Entry[] = []
  for (const [key, entry] of entries) if (tools(key)) held.push(entry)
  return (
    held.some((entry) => entry.caller === claim.caller && ends(entry)) ||
    held.some((entry) => entry.tool.name === claim.tool && hasMore(held, entry) && ends(entry)) ||
    (full === 'all' && held.some(({ tool, leased }) => tool.mode === 'daemon' && leased.giveWay()))
  )
}

/** A daemon is everybody's. */
function ends({ tool, leased }: Entry): boolean {
  return tool.mode === 'launcher' && leased.giveWay()
}

/** Its caller has more than one process of the tool. */
function hasMore(held: readonly Entry[], { tool, caller }: Entry): boolean {
  let processes = 0
  for (const each of held) {
    if (each.tool.name === tool.name && each.caller === caller) processes += each.leased.size
  }
  return processes > 1
}
