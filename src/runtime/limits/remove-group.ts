import type { LimitGroup } from './limits.ts'

/** Removes a group, were it made or not. Never rejects. */
export async function removeGroup(group: Promise<LimitGroup>): Promise<void> {
  await group.then((each) => each.remove()).catch(() => {})
}
