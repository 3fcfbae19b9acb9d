import type { LimitGroup } from './limits.ts'

/** Several keepers of one instance, as one: whoever finds a breach first is heard. */
export function joinGroups(groups: readonly LimitGroup[]): LimitGroup {
  return {
    entrance: groups.flatMap(({ entrance }) => entrance),
    enter: async (pids) => {
      for (const group of groups) await group.enter(pids)
    },
    breach: () => first(groups, (group) => group.breach()),
    onBreach: (end) => {
      for (const group of groups) group.onBreach(end)
    },
    usage: () => first(groups, (group) => group.usage()) ?? null,
    members: () => groups[0]?.members() ?? [],
    remove: async () => {
      await Promise.all(groups.map((group) => group.remove()))
    },
  }
}

function first<T>(groups: readonly LimitGroup[], look: (group: LimitGroup) => T): T | undefined {
  for (const group of groups) {
    const seen = look(group)
    if (seen !== undefined && seen !== null) return seen
  }
  return undefined
}
