import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, sep } from 'node:path'

/** Folders that hold a package of ours and all that it depends on, none within another. */
export function packagesOf(name: string): string[] {
  const found = new Set<string>()
  const visit = (name: string, from: string) => {
    const folder = folderOf(name, from)
    if (folder === undefined || found.has(folder)) return
    found.add(folder)
    const { dependencies = {} } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
    for (const each of Object.keys(dependencies)) visit(each, folder)
  }
  visit(name, import.meta.dirname)
  const folders = [...found]
  return folders.filter((each) => !folders.some((other) => each.startsWith(`${other}${sep}`)))
}

/** The nearest one, as Node finds it; not by resolving: some export no `package.json`. */
function folderOf(name: string, from: string): string | undefined {
  const places = createRequire(join(from, 'package.json')).resolve.paths(name) ?? []
  return places.map((place) => join(place, name)).find(isPackage)
}

function isPackage(folder: string): boolean {
  try {
    readFileSync(join(folder, 'package.json'))
    return true
  } catch {
    return false
  }
}
