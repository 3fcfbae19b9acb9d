import { hash, randomBytes } from 'node:crypto'
import { ToolgateError } from '../errors.ts'
import { GATEWAY } from '../mark.ts'
import type { Logger } from '../telemetry/log.ts'
import type { Policy } from '../tool/declaration.ts'
import { type Folder, isWrittenBy, openRoot } from './folders/folder.ts'
import { giveFolder, type User } from './folders/give.ts'
import { removeSession, SESSIONS } from './folders/sessions.ts'
import type { InstanceOwner } from './starting.ts'
import { toolOf } from './users.ts'

export { forgetSessions } from './folders/sessions.ts'

export interface WorkspaceOptions {
  /** The configuration's `workspace`. */
  readonly root: string
  readonly tool: string
  readonly workspace: Policy['workspace']
  readonly owner: InstanceOwner | undefined
  /** Whose the folder is to be, under root; null: the gateway's. */
  readonly user: User | null
  /** Is told which folder could not be used or removed, and why; callers are not. */
  readonly log: Logger
}

/** The folder of one instance. */
export interface Workspace {
  /** Its absolute path on this machine; null: there is none. */
  readonly folder: string | null
  /** Holds the very folder that was checked, opened with O_PATH; null: not on this system. */
  readonly descriptor: number | null
  /** Lets go of it, and removes it where it was one session's. Never rejects. */
  release(): Promise<void>
}

/**
 * Opens the folder that a tool's policy gives an instance, made where it is not there. Rejects with
 * `tool_failed_to_start` where what has its name is a link, a file or a stranger's.
 */
export async function openWorkspace(options: WorkspaceOptions): Promise<Workspace> {
  const { root, tool, workspace, log } = options
  if (workspace.access === 'none') return NONE
  const place = placeOf(options)
  try {
    const folder = await open(options, place)
    const { path, descriptor } = folder
    let released: Promise<void> | undefined
    const release = async () => {
      await folder[Symbol.asyncDispose]()
      if (place.passing) await removeSession(root, tool, place.name)
    }
    return {
      folder: path,
      descriptor,
      release: () =>
        (released ??= release().catch((err: unknown) => {
          log.warn({ tool, folder: path, err }, 'the folder of a session could not be removed')
        })),
    }
  } catch (err) {
    log.error({ tool, err }, 'the folder of a tool cannot be used')
    if (place.passing) await removeSession(root, tool, place.name).catch(() => {})
    const message =
      'The tool could not be started: its folder in the workspace cannot be used; ' +
      "the gateway's log says why."
    throw new ToolgateError('tool_failed_to_start', message, { cause: err })
  }
}

const NONE: Workspace = { folder: null, descriptor: null, release: async () => {} }

/** Where a folder lies: below the root, folder by folder. */
interface Place {
  readonly way: readonly string[]
  readonly name: string
  /** Made for one instance, and removed with it. */
  readonly passing: boolean
}

/**
 * No tool has a folder in which another folder is opened later. Callers who have no name share
 * nothing, so theirs ends with the session.
 */
function placeOf({ tool, workspace: { per }, owner }: WorkspaceOptions): Place {
  if (per === 'tool') return { way: [], name: tool, passing: false }
  const caller = owner?.caller ?? null
  if (per === 'caller' && caller !== null) {
    return { way: [CALLERS, tool], name: folderOf(caller), passing: false }
  }
  const name = `${GATEWAY}.${randomBytes(12).toString('hex')}`
  return { way: [SESSIONS, tool], name, passing: true }
}

// No tool's name has a dot.
const CALLERS = '.callers'

/** Of the id as JSON, which differs wherever two ids do; UTF-8 alone does not. */
function folderOf(caller: string): string {
  return hash('sha256', JSON.stringify(caller), 'base64url').slice(0, 32)
}

async function open({ root, tool, user }: WorkspaceOptions, place: Place): Promise<Folder> {
  await using top = await openRoot(root)
  if (SYSTEM.has(top.path)) throw new Error(`${top.path} is the system's, and no workspace`)
  const { uid } = await top.stats()
  const owners = new Set([process.geteuid?.() ?? uid, uid])
  const folder = await openBelow(top, place.way, owners, (parent) =>
    place.passing ? parent.make(place.name) : parent.ensure(place.name),
  )
  try {
    const owner = (await folder.stats()).uid
    const own = owners.has(owner) || owner === user?.uid || (await toolOf(owner, top)) === tool
    if (!own) throw new Error(`${folder.path} belongs to user ${owner}`)
    if (user !== null && owner !== user.uid) await giveFolder(folder, owners, user)
    return folder
  } catch (error) {
    await folder[Symbol.asyncDispose]()
    throw error
  }
}

/** There a tool's name would be that of a folder which is nobody's to give away. */
const SYSTEM: ReadonlySet<string> = new Set(
  '/ /boot /dev /etc /home /lib /lib64 /opt /proc /run /sys /usr /var'.split(' '),
)

/** Through folders that only the gateway, and whoever has the root, may write to. */
async function openBelow(
  folder: Folder,
  [name, ...way]: readonly string[],
  owners: ReadonlySet<number>,
  use: (parent: Folder) => Promise<Folder>,
): Promise<Folder> {
  if (name === undefined) return use(folder)
  await using next = await folder.ensure(name)
  if (!isWrittenBy(owners, await next.stats())) {
    throw new Error(`${next.path} may be written to by others than the gateway`)
  }
  return await openBelow(next, way, owners, use)
}
