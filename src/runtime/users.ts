import { randomUUID } from 'node:crypto'
import { constants } from 'node:fs'
import { link, open, readFile, unlink, writeFile } from 'node:fs/promises'
import type { Config, UserRange } from '../config/config.ts'
import { ToolgateError } from '../errors.ts'
import { type Folder, isCode, isWrittenBy, openRoot } from './folders/folder.ts'
import type { User } from './folders/give.ts'

/**
 * The user that a tool runs as: under root one of `cells.users` that is this tool's for ever, since
 * its files are that user's; else null, for there is only the gateway's own. Rejects with `no_cell`
 * where there is none left, or where this machine does not have it.
 */
export async function userOf(
  tool: string,
  { workspace, cells }: Pick<Config, 'workspace' | 'cells'>,
): Promise<User | null> {
  if (process.getuid?.() !== 0) return null
  const key = `${workspace}\0${tool}`
  const claimed = known.get(key) ?? claim(tool, workspace, cells.users)
  known.set(key, claimed)
  try {
    const uid = await claimed
    return { uid, gid: uid }
  } catch (error) {
    known.delete(key)
    throw error
  }
}

const known = new Map<string, Promise<number>>()

/**
 * A claim is a file, named for the user, that says whose it is. It is there whole or not at all,
 * and is never given back. All gateways of a workspace try the users from the first on, so of two
 * that claim one for the same tool the later finds what the earlier has.
 */
async function claim(tool: string, workspace: string, users: UserRange): Promise<number> {
  await using root = await openRoot(workspace)
  await using claims = await root.ensure(CLAIMS)
  await refuseStrangers(root, claims)
  const [taken, exists] = await Promise.all([readClaims(claims), existingUsers()])
  for (const [uid, owner] of taken) {
    if (owner === tool) return checked(uid, users, exists)
  }
  const draft = claims.at(`.${randomUUID()}`)
  await writeFile(draft, tool, { flag: 'wx', mode: 0o600, flush: true })
  try {
    for (let uid = users.first; uid <= users.last; uid += 1) {
      if (taken.has(uid)) continue
      checked(uid, users, exists)
      const free = await linked(draft, claims.at(String(uid)))
      if (free || (await readClaim(claims, String(uid))) === tool) return uid
    }
  } finally {
    await unlink(draft)
  }
  throw noUser('every user of cells.users belongs to another tool; give it more of them')
}

const CLAIMS = '.users'

/** Whoever could write there could make two tools one user. */
async function refuseStrangers(root: Folder, claims: Folder): Promise<void> {
  const owners = new Set([0, (await root.stats()).uid])
  if (isWrittenBy(owners, await claims.stats())) return
  throw noUser('others may write to .users of the workspace, which says whose users are')
}

function checked(uid: number, { first, last }: UserRange, exists: (uid: number) => boolean) {
  if (uid < first || uid > last) {
    throw noUser(`its user ${uid} is not among cells.users any more, and its files belong to it`)
  }
  if (!exists(uid)) {
    throw noUser(`user ${uid} of cells.users does not exist here: it is outside the user namespace`)
  }
  return uid
}

function noUser(why: string): ToolgateError {
  return new ToolgateError('no_cell', `The tool could not be started: ${why}.`)
}

/** False where there is something of that name. */
async function linked(from: Buffer, to: Buffer): Promise<boolean> {
  try {
    await link(from, to)
    return true
  } catch (error) {
    if (isCode(error, 'EEXIST')) return false
    throw error
  }
}

/** What is no claim of a tool takes its user all the same. */
async function readClaims(claims: Folder): Promise<Map<number, string | undefined>> {
  const taken = new Map<number, string | undefined>()
  for await (const names of claims.names()) {
    const users = names.map(String).filter((name) => /^[1-9]\d{0,9}$/.test(name))
    const owners = await Promise.all(users.map((name) => readClaim(claims, name)))
    for (const [index, name] of users.entries()) taken.set(Number(name), owners[index])
  }
  return taken
}

/** The tool whose user this is; undefined where nothing says so. */
async function readClaim(claims: Folder, name: string): Promise<string | undefined> {
  try {
    await using file = await open(claims.at(name), READ)
    if (!(await file.stat()).isFile()) return undefined
    const { bytesRead, buffer } = await file.read(Buffer.alloc(65), 0, 65, 0)
    return buffer.toString('utf8', 0, bytesRead)
  } catch (error) {
    if (isCode(error, 'ENOENT', 'ELOOP', 'EISDIR')) return undefined
    throw error
  }
}

const READ = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)

/** The tool that a user was claimed for in this workspace; undefined: for none. */
export async function toolOf(uid: number, root: Folder): Promise<string | undefined> {
  try {
    await using claims = await root.child(CLAIMS)
    return await readClaim(claims, String(uid))
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined
    throw error
  }
}

/** In a container root may have a few users only, or none but itself (user_namespaces(7)). */
async function existingUsers(): Promise<(id: number) => boolean> {
  const paths = ['/proc/self/uid_map', '/proc/self/gid_map']
  const maps = await Promise.all(paths.map((path) => readFile(path, 'utf8').catch(() => EVERYBODY)))
  const ranges = maps.map((map) =>
    map
      .trim()
      .split('\n')
      .map((line) => line.trim().split(/\s+/)),
  )
  return (id) =>
    ranges.every((lines) =>
      lines.some(([first, , count]) => id >= Number(first) && id < Number(first) + Number(count)),
    )
}

const EVERYBODY = '0 0 4294967295'
