import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { parse } from 'yaml'
import { VARIABLES } from '../../src/config/environment.ts'
import { KEYS, OVERRIDES, type Section } from '../../src/config/keys.ts'
import { staticDocument } from '../../src/contract/operations.ts'
import type { PolicyOptions, RunContext, ToolOptions } from '../../src/tool/options.ts'
import { DOCUMENTS, ROOT, read } from './documents.ts'
import { anchorsOf, proseOf, rowsOf } from './markdown.ts'

test('every link inside the documents leads somewhere', () => {
  for (const name of DOCUMENTS) {
    for (const [, target = ''] of proseOf(read(name)).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(target)) continue
      const [path = '', anchor] = target.split('#')
      const file = path === '' ? join(ROOT, name) : join(ROOT, dirname(name), path)
      assert.ok(existsSync(file), `${name} links to ${target}`)
      if (anchor === undefined) continue
      assert.ok(
        anchorsOf(readFileSync(file, 'utf8')).includes(anchor),
        `${name} links to ${target}`,
      )
    }
  }
})

test('docs/configuration.md has every key with its default, and no other', () => {
  const documented = rowsOf(read('docs/configuration.md'))
    .filter(([, fallback]) => fallback === '' || /^`/.test(fallback ?? ''))
    .filter(([key]) => /^`[a-z][\w.[\]]*`$/i.test(key ?? '') && !key?.includes('TOOLGATE'))
    .map(([key = '', fallback = '']) => [plain(key), plain(fallback)])
  assert.deepEqual(Object.fromEntries(documented), Object.fromEntries(keysOf(KEYS)))
})

test('config/gateway.yaml has every key of the documentation, and no other', () => {
  const shipped = leavesOf(parse(readFileSync(join(ROOT, 'config/gateway.yaml'), 'utf8')))
  const known = keysOf(KEYS)
    .map(([key]) => key)
    .filter((key) => !key.includes('[]'))
  assert.deepEqual(shipped.sort(), known.sort())
})

test('every flag and every variable is documented, and no other', () => {
  const text = read('docs/configuration.md')
  const flags = ['config', 'url', 'key', ...OVERRIDES.flatMap(({ flag }) => flag ?? [])]
  const named = [...proseOf(text).matchAll(/`(?:[^`]* )?--([a-z-]+)/g)].map(([, flag]) => flag)
  assert.deepEqual([...new Set(named)].filter((flag) => flag !== 'id').sort(), flags.sort())
  const variables = new Set(text.match(/TOOLGATE_[A-Z_]+/g))
  assert.deepEqual([...variables].sort(), Object.keys(VARIABLES).sort())
})

test('the README has every operation of the contract', () => {
  const routes = rowsOf(read('README.md')).map(([route = '']) => route)
  for (const [path, operations] of Object.entries(staticDocument().paths)) {
    for (const method of Object.keys(operations)) {
      const wanted = `\`${method.toUpperCase()} ${path}\``
      assert.ok(
        routes.some((route) => route.includes(wanted)),
        `${wanted} is not in the README`,
      )
    }
  }
})

// The compiler keeps these complete, and the tests compare them with the guide.
const OPTIONS: Record<keyof ToolOptions, true> = {
  description: true,
  runtime: true,
  title: true,
  tags: true,
  policy: true,
  mode: true,
  timeout: true,
  idle: true,
  instances: true,
  warm: true,
  limits: true,
  access: true,
  era: true,
}

const POLICY: Record<keyof PolicyOptions, true> = {
  network: true,
  workspace: true,
  files: true,
  env: true,
  secrets: true,
  memory: true,
  cpus: true,
  processes: true,
  sandbox: true,
  readOnly: true,
  capAdd: true,
  capDrop: true,
  securityOpt: true,
  tmpfs: true,
  user: true,
}

const CONTEXT: Record<keyof RunContext, true> = {
  signal: true,
  progress: true,
  log: true,
  ask: true,
  workspace: true,
}

for (const [heading, keys] of [
  ['Everything a file can say', OPTIONS],
  ['What a tool is given', POLICY],
  ['Progress, logs and cancelling', CONTEXT],
] as const) {
  test(`the guide's "${heading}" lists what there is, and no more`, () => {
    const guide = read('docs/tool-author-guide.md')
    const section = guide.split(/^## /m).find((text) => text.startsWith(heading)) ?? ''
    const cells = rowsOf(section).map(([key = '']) => key)
    const listed = cells.flatMap((cell) => cell.match(/(?<=`)\w+/g) ?? [])
    assert.deepEqual(listed.sort(), Object.keys(keys).sort())
  })
}

function plain(cell: string): string {
  return cell.replaceAll('`', '')
}

/** Each key by its path, with its default as it is written in the documentation. */
function keysOf(section: Section, path = ''): [key: string, fallback: string][] {
  return Object.entries(section).flatMap(([name, row]): [string, string][] => {
    const key = `${path}${name}`
    if ('fallback' in row) return [[key, row.fallback === undefined ? '' : String(row.fallback)]]
    if (!('each' in row)) return keysOf(row as Section, `${key}.`)
    const items = 'expected' in row.each ? [] : keysOf(row.each as Section, `${key}[].`)
    return [[key, '[]'], ...items]
  })
}

function leavesOf(value: unknown, path = ''): string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [path.slice(1)]
  return Object.entries(value).flatMap(([name, inner]) => leavesOf(inner, `${path}.${name}`))
}
