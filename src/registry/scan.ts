import { readdir } from 'node:fs/promises'
import { basename, extname, join } from 'node:path'
import type { FileError } from './registry.ts'

/** A file of the tools folder that is a tool, or would be one under another name. */
export interface Candidate {
  readonly name: string
  readonly file: string
  readonly error?: FileError
}

/** Most tools of one folder. */
const MOST = 1_000

const ENDINGS = new Set(['.ts', '.mts', '.js', '.mjs'])

/** The tools of a folder by name, or `only` one; undefined where there is no such folder. */
export async function scanFolder(
  folder: string,
  only?: string,
): Promise<Map<string, Candidate> | undefined> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => undefined)
  if (entries === undefined) return undefined
  const found = new Map<string, Candidate>()
  const files = entries.filter((entry) => entry.isFile() || entry.isSymbolicLink())
  for (const file of files.map((entry) => entry.name).sort()) {
    if (!isToolFile(file) || found.size >= MOST) continue
    const candidate = readName(folder, file)
    if (only !== undefined && candidate.name !== only) continue
    const twin = found.get(candidate.name)
    found.set(candidate.name, twin === undefined ? candidate : twins(twin, candidate))
  }
  return found
}

/** Helpers begin with `_`; editors leave dot files about. */
export function isToolFile(file: string): boolean {
  return ENDINGS.has(extname(file)) && !/^[_.]|\.d\.m?ts$/.test(file)
}

function readName(folder: string, base: string): Candidate {
  const file = join(folder, base)
  const name = base.slice(0, -extname(base).length)
  if (/^[A-Za-z0-9_-]{1,64}$/.test(name) && !name.includes('__') && name !== 'invoke') {
    return { name, file }
  }
  const expected = "1 to 64 letters, digits, _ or -, without __, and not 'invoke'"
  const message = `"${name}" cannot be the name of a tool`
  return { name, file, error: { file, message, expected } }
}

function twins(one: Candidate, other: Candidate): Candidate {
  const expected = 'one file for each tool'
  const [first, second] = [one.file, other.file].map((file) => basename(file))
  const message = `${first} and ${second} are both the tool "${one.name}"`
  return { ...one, error: { file: other.file, message, expected } }
}
