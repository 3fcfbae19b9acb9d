import { stripTypeScriptTypes } from 'node:module'
import { fileURLToPath } from 'node:url'
import type { Mistake } from '../tool/mistakes.ts'
import type { FileError } from './registry.ts'

interface Imported {
  /** The tool's file. */
  readonly file: string
  /** Every file that was read, by path, in order. */
  readonly texts: ReadonlyMap<string, string>
  /** The last import that led nowhere. */
  readonly lost?: { readonly specifier: string; readonly parent: string }
}

/** Why a file could not be imported, and where: from the error's stack, which is all Node tells. */
export function explainImport(thrown: unknown, { file, texts, lost }: Imported): FileError {
  const { message, stack, code } = partsOf(thrown)
  if (lost !== undefined && NOT_FOUND.has(code)) {
    const place = placeText(texts.get(lost.parent) ?? '', lost.specifier)
    const error = { file: lost.parent, ...place, expected: 'a file or package that is there' }
    return { ...error, message: `there is no "${lost.specifier}"` }
  }
  const syntax = thrown instanceof SyntaxError
  const place = placeStack(stack, texts) ?? (syntax ? placeSyntax(texts) : undefined) ?? { file }
  return { ...place, message, expected: expectation(syntax, code) }
}

/** Mistakes in a declaration by line; those of one line in the order of the declaration's keys. */
export function placeMistakes(mistakes: readonly Mistake[], file: string, text: string) {
  return mistakes
    .map((mistake) => placeMistake(mistake, file, text))
    .sort((a, b) => (a.line ?? 0) - (b.line ?? 0))
}

/** Where a mistake is written, as well as it can be told from the text. */
function placeMistake(mistake: Mistake, file: string, text: string): FileError {
  const start = text.search(/\bdefineTool\s*\(|\bexport\s+default\b/)
  let from = Math.max(start, 0)
  let found = start
  // An item of a list has no name: its list is the place.
  for (const step of mistake.path.replace(/\[\d+\]/g, '').split('.')) {
    const key = step.replace(/[^\w$-]/g, '\\$&')
    const at =
      step === '' ? -1 : text.slice(from).search(new RegExp(`(?<![\\w$.])${key}['"]?\\s*[:(,}]`))
    if (at < 0) continue
    found = from + at
    from = found + step.length
  }
  const { path, message, expected } = mistake
  const place = found < 0 ? {} : positionOf(text, found)
  return { file, ...place, ...(path === '' ? {} : { path }), message, expected }
}

const NOT_FOUND = new Set([
  'ERR_MODULE_NOT_FOUND',
  'MODULE_NOT_FOUND',
  'ERR_UNSUPPORTED_DIR_IMPORT',
])

const MOST = 2_000

function partsOf(thrown: unknown): { message: string; stack: string; code: string } {
  if (!(thrown instanceof Error)) {
    return { message: `it threw ${String(thrown).slice(0, MOST)}`, stack: '', code: '' }
  }
  const { message, stack } = thrown
  const code = String((thrown as NodeJS.ErrnoException).code ?? '')
  const told = String(message).slice(0, MOST).replace(/\.$/, '')
  return { message: told, stack: String(stack), code }
}

function expectation(syntax: boolean, code: string): string {
  if (code === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX') {
    return 'types that can be stripped: no enum, namespace or parameter property'
  }
  return syntax ? 'a valid TypeScript or JavaScript module' : 'a file that can be imported'
}

/** The head of a syntax error's stack, else its first frame in a file of the tool's. */
function placeStack(stack: string, texts: ReadonlyMap<string, string>) {
  const head = /^(file:\/\/\S+):(\d+)\n/.exec(stack)
  if (head !== null) {
    // The end of the file has no caret below its line.
    const caret = /^( *)\^/m.exec(stack)
    return placeAt(head[1], Number(head[2]), caret?.[1] === undefined ? 1 : caret[1].length + 1)
  }
  for (const [, url, line, column] of stack.matchAll(/(file:\/\/\S+?):(\d+):(\d+)/g)) {
    const place = placeAt(url, Number(line), Number(column))
    if (place !== undefined && texts.has(place.file)) return place
  }
  return undefined
}

function placeAt(url: string | undefined, line: number, column: number) {
  return url === undefined ? undefined : { file: fileURLToPath(url), line, column }
}

/** V8 keeps the place of a module's syntax error to itself; the TypeScript parser tells it. */
function placeSyntax(texts: ReadonlyMap<string, string>) {
  for (const [path, text] of [...texts].reverse()) {
    try {
      if (/\.m?js$/.test(path)) stripTypeScriptTypes(text, { sourceUrl: 'file:///_' })
    } catch (error) {
      const place = placeStack(partsOf(error).stack, new Map())
      if (place !== undefined) return { ...place, file: path }
    }
  }
  return undefined
}

function placeText(text: string, part: string) {
  const at = text.indexOf(part)
  return at < 0 ? {} : positionOf(text, at)
}

function positionOf(text: string, at: number): { line: number; column: number } {
  const lines = text.slice(0, at).split('\n')
  return { line: lines.length, column: (lines.at(-1)?.length ?? 0) + 1 }
}
