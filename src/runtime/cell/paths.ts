import { readlink } from 'node:fs/promises'
import { dirname, isAbsolute, join } from 'node:path'

/** Where an absolute path leads, and all that can make it lead elsewhere. */
export interface Trail {
  /** Without links. What is not there counts as if it were no link. */
  readonly real: string
  /** Every place on the way, links among them, and the last. */
  readonly places: readonly string[]
  /** False: nothing is at its end. */
  readonly there: boolean
}

/** Where the link at a place leads, or that it is none, as far as one can tell. */
type Found = { readonly target: string } | 'no link' | 'nothing'

/** Looks at places of this moment, at each once, and below what is not there not at all. */
export type Look = (place: string) => Promise<Found>

export function lookOnce(): Look {
  const seen = new Map<string, Promise<Found>>([['/', Promise.resolve('no link')]])
  return async function look(place): Promise<Found> {
    let found = seen.get(place)
    if (found !== undefined) return found
    found = look(dirname(place)).then((above) => (above === 'nothing' ? above : lookAt(place)))
    seen.set(place, found)
    return found
  }
}

async function lookAt(place: string): Promise<Found> {
  try {
    return { target: await readlink(place) }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    return code === 'ENOENT' || code === 'ENOTDIR' ? 'nothing' : 'no link'
  }
}

/** Follows a path by hand: the kernel tells its end, and not whose folders it passes through. */
export async function followPath(path: string, look = lookOnce()): Promise<Trail> {
  const places: string[] = []
  const names = namesOf(path)
  let at = '/'
  let links = 0
  let there = true
  for (let name = names.shift(); name !== undefined; name = names.shift()) {
    if (name === '.') continue
    if (name === '..') {
      at = dirname(at)
      there = true
      continue
    }
    const place = join(at, name)
    places.push(place)
    const found = links < MOST ? await look(place) : 'no link'
    there = found !== 'nothing'
    if (typeof found === 'string') {
      at = place
      continue
    }
    links += 1
    if (isAbsolute(found.target)) at = '/'
    names.unshift(...namesOf(found.target))
  }
  return { real: at, places, there }
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
