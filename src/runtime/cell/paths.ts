import { readlink } from 'node:fs/promises'
import { dirname, isAbsolute, join } from 'node:path'

/** Where an absolute path leads, and all that can make it lead elsewhere. */
export interface Trail {
  /** Without links. What is not there counts as if it were no link. */
  readonly real: string
  /** Every place on the way, links among them, and the last. */
  readonly places: readonly string[]
}

/** Follows a path by hand: the kernel tells its end, and not whose folders it passes through. */
export async function followPath(path: string): Promise<Trail> {
  const places: string[] = []
  const names = namesOf(path)
  let at = '/'
  let links = 0
  for (let name = names.shift(); name !== undefined; name = names.shift()) {
    if (name === '..') at = dirname(at)
    if (name === '..' || name === '.') continue
    const place = join(at, name)
    places.push(place)
    const target = links < MOST ? await readlink(place).catch(() => undefined) : undefined
    if (target === undefined) {
      at = place
      continue
    }
    links += 1
    if (isAbsolute(target)) at = '/'
    names.unshift(...namesOf(target))
  }
  return { real: at, places }
}

/** As many as Linux follows; then what is left is a link, and is refused as one. */
const MOST = 40

function namesOf(path: string): string[] {
  return path.split('/').filter((name) => name !== '')
}

/** Whether `inner` is `outer`, or lies below it. */
export function holds(outer: string, inner: string): boolean {
  return inner === outer || inner.startsWith(outer.endsWith('/') ? outer : `${outer}/`)
}
