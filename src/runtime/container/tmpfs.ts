/**
 * Folders in memory, by path, with their options: `/tmp`, and those that a tool's file names, such
 * as `/cache:exec,size=128m`. What an entry does not say is the strict way.
 */
export function tmpfsOf(entries: readonly string[], size: number): Record<string, string> {
  const places: Record<string, string> = { '/tmp': optionsOf('', size) }
  for (const entry of entries) {
    const colon = entry.indexOf(':')
    const path = colon < 0 ? entry : entry.slice(0, colon)
    places[path] = optionsOf(colon < 0 ? '' : entry.slice(colon + 1), size)
  }
  return places
}

function optionsOf(text: string, size: number): string {
  const given = text.split(',').filter((option) => option !== '')
  const names = new Set(given.map((option) => option.replace(/=.*/, '')))
  const strict = STRICT.filter(
    (option) => !names.has(option) && !names.has(option.replace(/^no/, '')),
  )
  const access = names.has('ro') || names.has('rw') ? [] : ['rw']
  const bound = names.has('size') ? [] : [`size=${size}`]
  const mode = names.has('mode') ? [] : ['mode=1777']
  return [...access, ...strict, ...bound, ...mode, ...given].join(',')
}

const STRICT = ['nosuid', 'nodev', 'noexec']
