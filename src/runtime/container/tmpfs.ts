import type { Policy } from '../../tool/declaration.ts'

export interface TmpfsOptions {
  /** Most bytes of each. */
  readonly size: number
  /** Whom the container runs as, such as `1000:1000`. */
  readonly user?: string
  readonly podman: boolean
}

/**
 * Folders in memory, by path, with their options: `/tmp`, `volumes` of the image, and those that a
 * tool's file names, such as `/cache:exec,size=128m`. What an entry does not say is the strict way.
 * They belong to `user`, to Docker only where that has numbers: a mode is kept from the image's own
 * folder, and would shut it out.
 */
export function tmpfsOf(
  { tmpfs, readOnly }: Pick<Policy['container'], 'tmpfs' | 'readOnly'>,
  volumes: readonly string[],
  options: TmpfsOptions,
): Record<string, string> {
  const places: Record<string, string> = {}
  // It adds these to a read-only root, to be written to without a bound, where they are not named.
  const theirs = options.podman && readOnly ? ['/run:ro', '/var/tmp:ro'] : []
  for (const entry of ['/tmp', ...theirs, ...volumes, ...tmpfs]) {
    const colon = entry.indexOf(':')
    const path = colon < 0 ? entry : entry.slice(0, colon)
    places[path] = optionsOf(colon < 0 ? '' : entry.slice(colon + 1), options)
  }
  return places
}

function optionsOf(text: string, { size, user = '', podman }: TmpfsOptions): string {
  const given = text.split(',').filter((option) => option !== '')
  const names = new Set(given.map((option) => option.replace(/=.*/, '')))
  const strict = STRICT.filter(
    (option) => !names.has(option) && !names.has(option.replace(/^no/, '')),
  )
  const access = names.has('ro') || names.has('rw') ? [] : ['rw']
  const bound = names.has('size') ? [] : [`size=${size}`]
  const mode = names.has('mode') ? [] : ['mode=1777']
  const owner = names.has('uid') || names.has('gid') ? [] : ownerOf(user, podman)
  // By default it fills them from the image.
  const empty = podman && !/tmpcopyup/.test(text) ? ['notmpcopyup'] : []
  return [...access, ...strict, ...bound, ...mode, ...owner, ...empty, ...given].join(',')
}

function ownerOf(user: string, podman: boolean): string[] {
  if (podman) return ['U']
  const [, uid, gid] = /^(\d+)(?::(\d+))?$/.exec(user) ?? []
  return uid === undefined ? [] : [`uid=${uid}`, ...(gid === undefined ? [] : [`gid=${gid}`])]
}

const STRICT = ['nosuid', 'nodev', 'noexec']
