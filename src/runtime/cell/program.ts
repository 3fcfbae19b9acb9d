import { stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { basename, dirname } from 'node:path'
import { ToolgateError } from '../../errors.ts'
import { findProgram, withoutLinks } from './host.ts'
import { keptPlaces, type LookKept, liesAround } from './kept.ts'
import { isSeen, type Mount, readOnly } from './view.ts'

/** A program as it is started in a cell. */
export interface Placed {
  /** Absolute path. */
  readonly program: string
  /** What it consists of besides the system: where it was installed. */
  readonly mounts: readonly Mount[]
}

/**
 * Finds a program by the PATH, with the folder it is installed in: for `…/bin/python3` that is what
 * `bin` lies in, unless that is somebody's home, or holds what is kept from tools: then it is the
 * program's file alone. Without `kept` only the gateway's own code is. Rejects with
 * `tool_failed_to_start`.
 */
export async function placeProgram(
  name: string,
  path: string,
  system: readonly Mount[],
  kept: LookKept = keptPlaces,
): Promise<Placed> {
  const program = await findProgram(name, path)
  if (program === undefined) {
    const message = `The tool could not be started: there is no program "${name}".`
    throw new ToolgateError('tool_failed_to_start', message)
  }
  const real = await withoutLinks(program)
  const roots = [...new Set([...installationOf(program), ...installationOf(real)])]
  const shown = await allowed(
    roots.filter((root) => !isSeen(root, system)),
    kept,
  )
  const alone = isSeen(real, [...system, ...shown]) ? [] : [readOnly(real)]
  const mounts = [...shown, ...alone]
  if (real === program || isSeen(program, [...system, ...mounts])) return { program, mounts }
  return { program, mounts: [...mounts, { kind: 'link', source: real, target: program }] }
}

/** Itself, or all that was installed with it; of a link nothing. */
function installationOf(program: string): string[] {
  const folder = dirname(program)
  const prefix = dirname(folder)
  const installed = /^s?bin$/.test(basename(folder)) && !isBroad(prefix)
  return installed ? [prefix] : [program]
}

/** Without the folders that hold what is kept, or lie in it; what was checked is mounted. */
async function allowed(roots: readonly string[], look: LookKept): Promise<Mount[]> {
  if (roots.length === 0) return []
  const kept = await look()
  const looked = roots.map(async (root) => {
    const real = await withoutLinks(root)
    return (await liesAround(real, kept)) ? [] : [readOnly(real, root)]
  })
  return (await Promise.all(looked)).flat()
}

/** Folders that hold more than one program's files. */
function isBroad(folder: string): boolean {
  const deep = folder.split('/').length > 2
  return !deep || folder === homedir() || /^\/(?:home|Users)\/[^/]+$|\/\.local$/.test(folder)
}

/**
 * Refuses what would fail in the dark: an argument that is a file of this machine which the cell
 * does not have. Gives its position, counted from 1.
 */
export async function unseenArgument(
  args: readonly string[],
  mounts: readonly Mount[],
): Promise<number | undefined> {
  for (const [index, arg] of args.entries()) {
    if (!arg.startsWith('/') || isSeen(arg, mounts)) continue
    const there = await stat(arg).catch(() => undefined)
    if (there?.isFile() === true) return index + 1
  }
  return undefined
}
