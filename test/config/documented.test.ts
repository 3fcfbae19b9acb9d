import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { VARIABLES } from '../../src/config/environment.ts'
import { KEYS, OVERRIDES, type Section } from '../../src/config/keys.ts'

const ROOT = join(import.meta.dirname, '../..')
const reference = readFileSync(join(ROOT, 'docs/configuration.md'), 'utf8')

test('docs/configuration.md lists every key with its default, and no other', () => {
  const documented = [...reference.matchAll(/^\| `([\w.]+)` \| `([^`]*)` \|/gm)]
  const listed = Object.fromEntries(documented.map(([, key, fallback]) => [key, fallback]))
  assert.deepEqual(listed, Object.fromEntries(keysOf(KEYS)))
})

test('docs/configuration.md names every flag and every variable', () => {
  for (const { flag } of OVERRIDES)
    if (flag !== undefined) assert.match(reference, new RegExp(`\`--${flag}\\b`))
  for (const name of Object.keys(VARIABLES)) assert.match(reference, new RegExp(`\`${name}\``))
})

function keysOf(section: Section, path = ''): [string, string][] {
  return Object.entries(section).flatMap(([name, row]) => {
    const at = `${path}${name}`
    if ('each' in row) return [[at, '[]']]
    if ('fallback' in row) return [[at, String(row.fallback)]]
    return keysOf(row as Section, `${at}.`)
  })
}
