import { constants, existsSync, type Stats } from 'node:fs'
import {
  chmod,
  chown,
  type FileHandle,
  lstat,
  mkdir,
  open,
  opendir,
  realpath,
} from 'node:fs/promises'
import { join } from 'node:path'

/**
 * A folder that was looked at, and stays that one wherever its path leads by now: on Linux a
 * descriptor holds it, and what lies in it is reached through that alone, never through a link.
 * Elsewhere it is the path, which was no link when it was looked at.
 */
export class Folder {
  /** Absolute, without links; for people, and for those who have nothing better. */
  readonly path: string
  readonly #handle: FileHandle | null
  readonly #reach: Buffer

  private constructor(path: string, reach: Buffer, handle: FileHandle | null) {
    this.path = path
    this.#handle = handle
    this.#reach = handle === null ? reach : Buffer.from(`/proc/self/fd/${handle.fd}`)
  }

  /** Rejects with `ENOENT`. It may be a link, or lie behind one: that is its owner's word. */
  static async root(path: string, pinned = PINNED): Promise<Folder> {
    const real = await realpath(path)
    return Folder.#open(real, Buffer.from(real), pinned)
  }

  static async #open(path: string, reach: Buffer, pinned: boolean): Promise<Folder> {
    if (pinned) return new Folder(path, reach, await open(reach, FLAGS))
    if (!(await lstat(reach)).isDirectory()) throw coded('ENOTDIR', path)
    return new Folder(path, reach, null)
  }

  /** Opened with O_PATH; null: not on this system. */
  get descriptor(): number | null {
    return this.#handle?.fd ?? null
  }

  /** A path that leads into this folder and no other. */
  at(name: string | Buffer): Buffer {
    return Buffer.concat([this.#reach, Buffer.from('/'), Buffer.from(name)])
  }

  /** A folder in it, whatever its name. Rejects with `ENOTDIR` for a link, with `ENOENT` for none. */
  inside(name: string | Buffer): Promise<Folder> {
    return Folder.#open(join(this.path, String(name)), this.at(name), this.#handle !== null)
  }

  /** As `inside`, for a name that must be spelt so; says what is wrong, and where. */
  async child(name: string): Promise<Folder> {
    const path = join(this.path, name)
    try {
      const folder = await this.inside(name)
      if (folder.descriptor === null && (await realpath(path)) !== path) throw coded('ELOOP', path)
      return folder
    } catch (error) {
      if (!isCode(error, 'ENOTDIR', 'ELOOP')) throw error
      throw new Error(`${path} is a link or a file, and must be a folder`, { cause: error })
    }
  }

  /** Makes a folder that only its owner may enter. Rejects with `EEXIST`. */
  async make(name: string): Promise<Folder> {
    await mkdir(this.at(name), { mode: 0o700 })
    return this.child(name)
  }

  /** The folder of that name, made where it is not there. */
  async ensure(name: string): Promise<Folder> {
    try {
      return await this.child(name)
    } catch (error) {
      if (!isCode(error, 'ENOENT')) throw error
    }
    return this.make(name).catch((error: unknown) => {
      if (isCode(error, 'EEXIST')) return this.child(name)
      throw error
    })
  }

  /** The names of all that is in it, a few at a time; a name is bytes, and need not be text. */
  async *names(): AsyncGenerator<Buffer[]> {
    let few: Buffer[] = []
    // Node's types know the names of an open folder as texts only.
    const options = { encoding: 'buffer' as BufferEncoding, bufferSize: FEW }
    for await (const { name } of await opendir(this.#reach, options)) {
      few.push(name as unknown as Buffer)
      if (few.length < FEW) continue
      yield few
      few = []
    }
    if (few.length > 0) yield few
  }

  stats(): Promise<Stats> {
    return this.#handle === null ? lstat(this.#reach) : this.#handle.stat()
  }

  chmod(mode: number): Promise<void> {
    return chmod(this.#reach, mode)
  }

  chown({ uid, gid }: { readonly uid: number; readonly gid: number }): Promise<void> {
    return chown(this.#reach, uid, gid)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle?.close()
  }
}

/** The root of the workspace, made where it is not there. */
export async function openRoot(path: string): Promise<Folder> {
  await mkdir(path, { recursive: true })
  return Folder.root(path)
}

/**
 * Whether nobody but `owners` may put anything there. Systems without users tell nothing of them.
 */
export function isWrittenBy(owners: ReadonlySet<number>, { uid, mode }: Stats): boolean {
  return process.getuid === undefined || (owners.has(uid) && (mode & 0o022) === 0)
}

export function isCode(error: unknown, ...codes: readonly string[]): boolean {
  const { code } = error as NodeJS.ErrnoException
  return code !== undefined && codes.includes(code)
}

function coded(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code })
}

/** So many are worked on at the same time, and no more. */
const FEW = 16

const PINNED = process.platform === 'linux' && existsSync('/proc/self/fd')

/** Linux; Node has no name for it. It holds a folder without a right to read it. */
export const O_PATH = 0o10000000
const FLAGS = O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW
