import { readFileSync } from 'node:fs'
import type { Node } from 'yaml'
import type { Mistake, Place } from './mistake.ts'

/** A value with the place it stands at. */
export interface Found {
  readonly place: Place
  /** A scalar, a list of `Found`, or a map of `Entry`. */
  readonly value: unknown
}

export interface Entry extends Found {
  /** The place of the key. */
  readonly key: Place
}

/** Reads a YAML file; undefined where it is empty. What is wrong with it is added to `mistakes`. */
export async function readYaml(file: string, mistakes: Mistake[]): Promise<Found | undefined> {
  const text = readText(file, mistakes)
  if (text === undefined) return undefined
  const { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument } = await import('yaml')
  const lineCounter = new LineCounter()
  const document = parseDocument(text, { lineCounter, prettyErrors: false })
  for (const error of document.errors) wrong(error.pos[0], `this is not YAML: ${error.message}`)
  return document.errors.length > 0 || document.contents === null
    ? undefined
    : found(document.contents, 0)

  function found(node: Node | null, otherwise: number): Found {
    const offset = node?.range?.[0] ?? otherwise
    const place = placeAt(offset)
    if (isScalar(node)) return { place, value: node.value }
    if (isSeq<Node>(node)) return { place, value: node.items.map((item) => found(item, offset)) }
    if (isMap<Node, Node | null>(node)) {
      const entries = new Map<string, Entry>()
      for (const { key, value } of node.items) {
        const at = key.range?.[0] ?? offset
        const name = isScalar(key) ? String(key.value) : String(key)
        entries.set(name, { ...found(value, at), key: placeAt(at) })
      }
      return { place, value: entries }
    }
    // An alias can contain itself, and nothing here is long enough to need one.
    if (isAlias(node)) wrong(offset, 'an alias is not followed, write the value itself')
    return { place, value: null }
  }

  function wrong(offset: number, message: string): void {
    mistakes.push({ place: placeAt(offset), path: '', message })
  }

  function placeAt(offset: number): Place {
    const { line, col } = lineCounter.linePos(offset)
    return { source: file, line, column: col }
  }
}

function readText(file: string, mistakes: Mistake[]): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    const message = code === 'ENOENT' ? 'there is no such file' : `it cannot be read: ${code}`
    mistakes.push({ place: { source: file }, path: '', message, expected: 'a YAML file' })
    return undefined
  }
}
