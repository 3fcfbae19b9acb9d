import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { reapCgroups } from '../../../src/runtime/limits/cgroup-reap.ts'

const DEAD = 'd'.repeat(16)

test('a group that cannot be removed is told, so that it is tried again; the others are gone', async (t) => {
  const mount = mkdtempSync(join(tmpdir(), 'toolgate-groups-'))
  t.after(() => rmSync(mount, { recursive: true }))
  const folder = (name: string) => join(mount, 'above', `toolgate.${name}`)
  const [empty, full, neighbour] = [
    folder(`${DEAD}.tool.1`),
    folder(`${DEAD}.tool.2`),
    folder(`${'a'.repeat(16)}.tool.1`),
  ]
  for (const path of [empty, join(full, 'somebody'), neighbour]) {
    mkdirSync(path, { recursive: true })
  }
  const reaping = reapCgroups([mount], new Set([DEAD]))
  await assert.rejects(reaping, { message: `control groups are still there: ${full}` })
  assert.deepEqual([empty, full, neighbour].map(existsSync), [false, true, true])
})
