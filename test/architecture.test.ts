import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { test } from 'node:test'

/** From the street door to the ground: a room imports only rooms after it, and itself. */
const ROOMS = [
  'main',
  'cli',
  'gateway',
  'versions',
  'http',
  'inbound',
  'jobs',
  'dispatch',
  'guard',
  'catalogue',
  'pool',
  'outbound',
  'runtime',
  'registry',
  'contract',
  'store',
  'telemetry',
  'config',
  'call',
  'protocol',
  'index',
  'tool',
  'errors',
  'mark',
  'version',
  'within',
]

/** Processes of their own: what they may read of their environment, they were given for it. */
const CHILD_ENTRIES = ['registry/describe-child.ts', 'runtime/inline-child.ts']

const SRC = join(import.meta.dirname, '../src')
const texts = new Map(
  globSync('**/*.{ts,js}', { cwd: SRC }).map((file) => [
    file,
    readFileSync(join(SRC, file), 'utf8'),
  ]),
)
const imports = new Map([...texts].map(([file, text]) => [file, importsOf(file, text)]))

test('every file of src lies in a known room', () => {
  assert.deepEqual(
    [...texts.keys()].filter((file) => !ROOMS.includes(roomOf(file))),
    [],
  )
})

test('a room imports only rooms below it', () => {
  const upward = eachImport().filter(
    ({ file, to }) => ROOMS.indexOf(roomOf(file)) > ROOMS.indexOf(roomOf(to)),
  )
  assert.deepEqual(upward.map(show), [])
})

test('every relative import leads to a file of src, with its ending', () => {
  const lost = eachImport().filter(({ to }) => !texts.has(to) && !to.endsWith('package.json'))
  assert.deepEqual(lost.map(show), [])
})

test('imports of every form are read', () => {
  const text = [
    "import a from './a.ts'",
    "import {\n  type B,\n  b,\n} from '../b/b.ts'",
    "import type { C } from './c.ts'",
    "export * from './d.ts'",
    "export { e } from './e.ts'",
    "import './f.ts'",
    "const g = await import('./g.ts')",
    "import ajv from 'ajv'",
  ].join('\n')
  const found = importsOf('room/file.ts', text).map(({ to }) => to)
  assert.deepEqual(
    found,
    ['a', '../b/b', 'c', 'd', 'e', 'f', 'g'].map((name) => join('room', `${name}.ts`)),
  )
})

test('no files import each other in a circle', () => {
  const done = new Set<string>()
  const circles: string[] = []
  const visit = (file: string, trail: readonly string[]): void => {
    const at = trail.indexOf(file)
    if (at >= 0) circles.push([...trail.slice(at), file].join(' -> '))
    if (at >= 0 || done.has(file)) return
    for (const { to, typeOnly } of imports.get(file) ?? [])
      if (!typeOnly) visit(to, [...trail, file])
    done.add(file)
  }
  for (const file of texts.keys()) visit(file, [])
  assert.deepEqual(circles, [])
})

test('only the command line writes to the console', () => {
  assert.deepEqual(filesWith(/\bconsole\.\w+\(/, ['cli/']), [])
})

test('only the configuration reads the environment', () => {
  assert.deepEqual(filesWith(/\bprocess\.env\b/, ['config/', ...CHILD_ENTRIES]), [])
})

test('the lengths of files are seen', (t) => {
  const long = [...texts]
    .map(([file, text]) => ({ file, lines: text.split('\n').length - 1 }))
    .sort((a, b) => b.lines - a.lines)
  const median = long[Math.floor(long.length / 2)]?.lines
  t.diagnostic(`${long.length} files, median ${median} lines`)
  for (const { file, lines } of long.filter(({ lines }) => lines > 250))
    t.diagnostic(`past 250 lines, look for the second idea: ${file} (${lines})`)
})

interface Import {
  readonly to: string
  readonly typeOnly: boolean
}

/** Relative imports, static and dynamic, as paths below src. */
function importsOf(file: string, text: string): Import[] {
  const lines =
    /^\s*(import|export)\b(\s+type\b)?[^'"()]*?\bfrom\s+'(\.[^']+)'|^\s*import\s+'(\.[^']+)'|\bimport\(\s*'(\.[^']+)'\s*\)/gm
  return [...text.matchAll(lines)].map(([, , type, from, bare, dynamic]) => ({
    to: relative(SRC, join(SRC, dirname(file), from ?? bare ?? dynamic ?? '')),
    typeOnly: type !== undefined,
  }))
}

function eachImport() {
  return [...imports].flatMap(([file, found]) => found.map(({ to }) => ({ file, to })))
}

function roomOf(file: string): string {
  return file.split('/')[0]?.replace(/\.\w+$/, '') ?? ''
}

function filesWith(pattern: RegExp, allowed: readonly string[]): string[] {
  return [...texts]
    .filter(([file]) => !allowed.some((start) => file.startsWith(start)))
    .flatMap(([file, text]) =>
      text
        .split('\n')
        .flatMap((line, index) =>
          pattern.test(line) ? `${file}:${index + 1}: ${line.trim()}` : [],
        ),
    )
}

function show({ file, to }: { readonly file: string; readonly to: string }): string {
  return `${file} imports ${to}`
}
