import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Block, blocksOf } from './markdown.ts'

export const ROOT = join(import.meta.dirname, '../..')

/** Paths of the README and of every page below `docs/`. */
export const DOCUMENTS: readonly string[] = [
  'README.md',
  ...readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`)
    .sort(),
]

export function read(name: string): string {
  return readFileSync(join(ROOT, name), 'utf8')
}

/** Every block of every document. */
export function allBlocks(): Block[] {
  return DOCUMENTS.flatMap((name) => blocksOf(name, read(name)))
}
