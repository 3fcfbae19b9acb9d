import { stringify } from 'yaml'
import { isObject } from '../protocol/object.ts'
import { liveDocument, type ToolFunctions } from './live.ts'
import type { OpenApiDocument } from './operations.ts'

const NOTICE = `# Generated from src/contract and the shipped inline tools. Do not edit.\n`

/** The committed contract, `openapi/gateway.yaml`: the same tools give the same bytes. */
export function contractText(tools: readonly ToolFunctions[]): string {
  const inOrder = tools.toSorted((a, b) => (a.name < b.name ? -1 : 1))
  return NOTICE + asYaml(liveDocument(inOrder), true)
}

/** A document as YAML; `sorted` puts the keys of every object in order. */
export function asYaml(document: OpenApiDocument, sorted = false): string {
  const value = sorted ? inOrder(document, '') : document
  return stringify(value, { lineWidth: 100, aliasDuplicateObjects: false })
}

/** Keys in order below `paths` and `components`; the document's own stay as they are read. */
function inOrder(value: unknown, at: string): unknown {
  if (Array.isArray(value)) return value.map((item) => inOrder(item, `${at}/`))
  if (!isObject(value)) return value
  const entries = Object.entries(value).map(([key, member]): [string, unknown] => [
    key,
    inOrder(member, `${at}/${key}`),
  ])
  if (at !== '') entries.sort(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(entries)
}

/** How the committed text differs, in a few lines; undefined: it does not. */
export function drift(committed: string, made: string): string | undefined {
  if (committed === made) return undefined
  const old = new Set(committed.split('\n'))
  const now = new Set(made.split('\n'))
  const gone = [...old].filter((line) => !now.has(line)).map((line) => `- ${line}`)
  const come = [...now].filter((line) => !old.has(line)).map((line) => `+ ${line}`)
  const lines = [...gone, ...come]
  const shown = lines.slice(0, 40)
  if (lines.length > shown.length) shown.push(`… and ${lines.length - shown.length} more lines`)
  return shown.join('\n') || 'The same lines in another order.'
}
