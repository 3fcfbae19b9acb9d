/**
 * A short-lived process: imports one tool's file and writes what it declares, as JSON lines, to
 * descriptor 3. First `{ loaded }` for each file it reads, so that much is known of a file that
 * never ends; then one `{ result }`.
 */
import { hash } from 'node:crypto'
import { realpathSync, writeSync } from 'node:fs'
import { flushCompileCache } from 'node:module'
import { dirname } from 'node:path'
import { pathToFileURL } from 'node:url'
import { readDeclaration } from '../tool/read-declaration.ts'
import { explainImport, placeMistakes } from './explain.ts'
import type { FileError } from './registry.ts'
import { registerToolHooks, type Source } from './tool-hooks.ts'

/** What the child found out. `sources` only where the functions run here: of inline tools. */
export interface Result {
  readonly files: readonly { readonly path: string; readonly hash: string }[]
  /** Files that were imported and are not there. */
  readonly missing: readonly string[]
  readonly declaration?: unknown
  readonly sources?: Readonly<Record<string, Source>>
  readonly errors?: readonly FileError[]
}

const file = process.argv[2] ?? ''
const texts = new Map<string, string>()
const files: { path: string; hash: string }[] = []
const sources: Record<string, Source> = {}
const missing: string[] = []
let lost: { specifier: string; parent: string } | undefined
let told = false

const exit = process.exit.bind(process)
process.on('uncaughtException', fail)
process.on('exit', (code) => {
  if (told) return
  if (code === 13) fail(new Error('it waits for something that never comes'))
  else fail(new Error(`it ended the process with code ${code} while it was read`))
})

const real = realpathSync(file)
registerToolHooks({
  folders: [...new Set([dirname(file), realpathSync(dirname(file)), dirname(real)])],
  loaded(path, bytes) {
    texts.set(path, bytes.toString('utf8'))
    files.push({ path, hash: hash('sha256', bytes) })
    write({ loaded: files.at(-1) })
  },
  ready(path, source) {
    sources[path] = source
  },
  missing(specifier, parent, path) {
    if (parent !== undefined) lost = { specifier, parent }
    if (path !== undefined) missing.push(path)
  },
})

try {
  const module: Record<string, unknown> = await import(pathToFileURL(file).href)
  await describe(module.default)
} catch (error) {
  fail(error)
}
flushCompileCache()
exit(0)

async function describe(value: unknown): Promise<void> {
  const inline = JSON.stringify(value, ['runtime', 'kind'])?.includes('"inline"')
  const z = inline ? await import('zod') : undefined
  const reading = readDeclaration(value, (schema, io) =>
    z?.toJSONSchema(schema as Parameters<typeof z.toJSONSchema>[0], {
      io,
      target: 'draft-2020-12',
    }),
  )
  if ('errors' in reading) {
    const text = texts.get(real) ?? ''
    return tell({ errors: placeMistakes(reading.errors, file, text) })
  }
  tell({ declaration: reading.declaration, ...(inline ? { sources } : {}) })
}

function fail(thrown: unknown): void {
  if (told) return
  const error = explainImport(thrown, { file, texts, ...(lost === undefined ? {} : { lost }) })
  tell({ errors: [error] })
}

function tell(result: Omit<Result, 'files' | 'missing'>): void {
  told = true
  write({ result: { files, missing, ...result } })
}

function write(line: unknown): void {
  const bytes = Buffer.from(`${JSON.stringify(line)}\n`)
  for (let sent = 0; sent < bytes.length; ) sent += writeSync(3, bytes, sent)
}
