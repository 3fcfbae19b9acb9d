/**
 * Folders in memory, by path, with their options: `/tmp`, and those that a tool's file names, such
 * as `/cache:exec,size=128m`. What an entry does not say is the strict way. They belong to `user`
 * where that has numbers: a mode is kept from the image's own folder, and would shut it out.
 */
export function tmpfsOf(
  entries: readonly string[],
  size: number,
  user = '',
): Record<string, string> {
  const places: Record<string, string> = {}
  for (const entry of ['/tmp', ...entries]) {
    const colon = entry.indexOf(':')
    const path = colon < 0 ? entry : entry.slice(0, colon)
    places[path] = optionsOf(colon < 0 ? '' : entry.slice(colon + 1), size, user)
  }
  return places
}

function optionsOf(text: string, size: number, user: string): string {
  const given = text.split(',').filter((option) => option !== '')
  const names = new Set(given.map((option) => option.replace(/=.*/, '')))
  const strict = STRICT.filter(
    (option) => !names.has(option) && !names.has(option.replace(/^no/, '')),
  )
  const access = names.has('ro') || names.has('rw') ? [] : ['rw']
  const bound = names.has('size') ? [] : [`size=${size}`]
  const mode = names.has('mode') ? [] : ['mode=1777']
  const owner = names.has('uid') || names.has('gid') ? [] : ownerOf(user)
  return [...access, ...strict, ...bound, ...mode, ...owner, ...given].join(',')
}

function ownerOf(user: string): string[] {
  const [, uid, gid] = /^(\d+)(?::(\d+))?$/.exec(user) ?? []
  return uid === undefined ? [] : [`uid=${uid}`, ...(gid === undefined ? [] : [`gid=${gid}`])]
}

const STRICT = ['nosuid', 'nodev', 'noexec']
