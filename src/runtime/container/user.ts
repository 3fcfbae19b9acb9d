import type { Config } from '../../config/config.ts'
import type { Policy } from '../../tool/declaration.ts'
import type { User } from '../folders/give.ts'
import type { EngineFacts } from './engine.ts'
import type { Image } from './image.ts'

export interface Users {
  /** The tool's own of `cells.users`; null: the gateway is not root. */
  readonly own: User | null
  readonly facts: EngineFacts
  readonly image: Pick<Image, 'user'>
  readonly cells: Config['cells']
}

/**
 * Whom a container runs as: its file's word; else, where it has a folder, whose that is; else the
 * image's own user, unless that is root; else a user without a name.
 */
export function userIn(
  { workspace, container }: Pick<Policy, 'workspace' | 'container'>,
  { own, facts, image, cells }: Users,
): string {
  if (container.user !== null) return container.user
  const given = workspace.access !== 'none'
  // Root in there is the engine's own user out here, whose the folder is.
  if (facts.rootless && given) return '0:0'
  if (given) return named(own ?? { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 })
  if (image.user !== '' && !/^(?:root|0+)(?::|$)/.test(image.user)) return image.user
  // Beyond these a rootless engine has no users.
  if (facts.rootless) return '65534:65534'
  return named(own ?? { uid: cells.users.first, gid: cells.users.first })
}

/** Whose a tool's folder is made, under root: of the user that the container runs as. */
export function folderUser({ container }: Pick<Policy, 'container'>, own: User | null) {
  const [, uid, gid] = NUMBERS.exec(container.user ?? '') ?? []
  if (own === null || uid === undefined) return own
  return Number(uid) === 0 ? null : { uid: Number(uid), gid: Number(gid ?? uid) }
}

/**
 * Why a tool with a folder does not start as whom its file names: only the image knows the number of
 * a name, and the folder has to be given to it. Undefined where nothing is in the way.
 */
export function refusedUser({
  workspace,
  container: { user },
}: Pick<Policy, 'workspace' | 'container'>): string | undefined {
  if (workspace.access === 'none' || user === null || NUMBERS.test(user)) return undefined
  return (
    `policy.user names ${user}, and a workspace can only be given to numbers; ` +
    "say them as the image has them, such as user: '1000:1000'"
  )
}

const NUMBERS = /^(\d+)(?::(\d+))?$/

function named({ uid, gid }: User): string {
  return `${uid}:${gid}`
}
