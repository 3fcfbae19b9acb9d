import { stat } from 'node:fs/promises'
import type { Policy } from '../../tool/declaration.ts'
import { type GatewayPlaces, type Kept, keptFrom, type LookKept, lookKept } from './kept.ts'
import { followPath, holds, type Trail } from './paths.ts'
import type { Mount } from './view.ts'

/** What `policy.files` comes to at one moment: what was checked is what is mounted. */
export interface Grants {
  /** From where the paths led to where they are written. */
  readonly mounts: readonly Mount[]
  /** Why paths cannot be given; empty where all can. */
  readonly refusals: readonly string[]
}

/**
 * Resolves the paths of `policy.files`, each once. What counts is where they lead: a link to
 * something that is kept, or a folder that holds it, is no better.
 */
export async function grantFiles(
  { files: { read, write } }: Pick<Policy, 'files'>,
  look: LookKept,
): Promise<Grants> {
  if (read.length + write.length === 0) return { mounts: [], refusals: [] }
  const kept = await look()
  const asked = await Promise.all([
    ...read.map((path, index) => follow(path, `policy.files.read[${index}]`, 'read-only')),
    ...write.map((path, index) => follow(path, `policy.files.write[${index}]`, 'read-write')),
  ])
  const refused = await Promise.all(asked.map((each) => refusalOf(each, kept)))
  return {
    mounts: asked.map(({ kind, trail, path }) => ({ kind, source: trail.real, target: path })),
    refusals: [...refused, ...asked.map((each) => changeable(each, asked))].filter(
      (refusal) => refusal !== undefined,
    ),
  }
}

/** Why paths of `policy.files` cannot be given; nothing where they can. */
export async function refusedFiles(
  policy: Pick<Policy, 'files'>,
  config: GatewayPlaces,
): Promise<readonly string[]> {
  return (await grantFiles(policy, lookKept(config))).refusals
}

interface Asked {
  readonly path: string
  /** Its place in the file. */
  readonly key: string
  readonly kind: 'read-only' | 'read-write'
  readonly trail: Trail
}

async function follow(path: string, key: string, kind: Asked['kind']): Promise<Asked> {
  return { path, key, kind, trail: await followPath(path) }
}

async function refusalOf({ key, kind, trail }: Asked, kept: Kept): Promise<string | undefined> {
  if ((await stat(trail.real).catch(() => undefined)) === undefined) return `${key} is not there`
  const what = await keptFrom(trail.real, kind === 'read-only', kept)
  return what && `${key} is, holds or lies in ${what}, which no tool is given`
}

/** Between two starts the tool could put something else there, or where it leads through. */
function changeable({ key, trail }: Asked, all: readonly Asked[]): string | undefined {
  const above = all.find(
    (each) =>
      each.kind === 'read-write' &&
      trail.places.some((place) => place !== each.trail.real && holds(each.trail.real, place)),
  )
  return above && `${key} lies below ${above.key}, which the tool may change`
}
