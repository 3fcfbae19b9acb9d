import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { emptyFolder, toolgate } from './toolgate.ts'

const TSC = join(import.meta.dirname, '../../node_modules/tsc/bin/tsc')

test('init makes a folder whose tools are checked and typed', async (t) => {
  const folder = emptyFolder(t)
  const { code, stdout } = await toolgate(folder, ['init', 'mine'])
  assert.equal(code, 0)
  assert.match(stdout, /made mine\/clock\.ts/)
  assert.match(stdout, /toolgate serve --tools mine/)
  assert.equal((await toolgate(folder, ['check', '--tools', 'mine'])).code, 0)
  const typed = spawnSync(process.execPath, [TSC, '-p', join(folder, 'mine')], { encoding: 'utf8' })
  assert.deepEqual([typed.status, typed.stdout], [0, ''])
})

test('the types of what init made find a mistake', async (t) => {
  const folder = emptyFolder(t)
  await toolgate(folder, ['init', '.'])
  const clock = join(folder, 'clock.ts')
  writeFileSync(clock, readFileSync(clock, 'utf8').replace('({ time:', '({ tiem:'))
  const typed = spawnSync(process.execPath, [TSC, '-p', folder], { encoding: 'utf8' })
  assert.notEqual(typed.status, 0)
  assert.match(typed.stdout, /clock\.ts.*tiem|clock\.ts[\s\S]*tiem/)
})

test('init does the same again where it has been', async (t) => {
  const folder = emptyFolder(t)
  assert.equal((await toolgate(folder, ['init', 'mine'])).code, 0)
  assert.equal((await toolgate(folder, ['init', 'mine'])).code, 0)
})

test('init leaves a folder with other or changed files as it is', async (t) => {
  const folder = emptyFolder(t)
  writeFileSync(join(folder, 'clock.ts'), '// mine\n')
  writeFileSync(join(folder, 'notes.md'), 'mine\n')
  const { code, stderr } = await toolgate(folder, ['init', '.'])
  assert.equal(code, 1)
  assert.match(stderr, /clock\.ts, notes\.md/)
  assert.deepEqual(
    readdirSync(folder)
      .filter((name) => !name.startsWith('.'))
      .sort(),
    ['clock.ts', 'notes.md'],
  )
  assert.equal(readFileSync(join(folder, 'clock.ts'), 'utf8'), '// mine\n')
})
