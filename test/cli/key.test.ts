import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { loadConfig } from '../../src/config/load.ts'
import { emptyFolder, toolgate } from './toolgate.ts'

test('a new key is printed once, with an entry that the configuration reads', async (t) => {
  const folder = emptyFolder(t)
  const { code, stdout, stderr } = await toolgate(folder, ['key', 'new', '--id', 'ann'])
  assert.equal(code, 0)
  const file = join(folder, 'gateway.yaml')
  writeFileSync(file, stderr.slice(stderr.indexOf('keys:')))
  const { config } = await loadConfig({ flags: { config: file }, env: {}, cwd: folder })
  const hash = `sha256:${createHash('sha256').update(stdout.trim()).digest('hex')}`
  assert.deepEqual(config.keys, [{ id: 'ann', hash, roles: [], scopes: [] }])
  assert.equal(stderr.includes(stdout.trim()), false)
})

test('a key needs an id', async (t) => {
  const { code, stderr } = await toolgate(emptyFolder(t), ['key', 'new'])
  assert.equal(code, 2)
  assert.match(stderr, /--id needs a name/)
})
