import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { Config } from '../../../src/config/config.ts'
import { defaults } from '../../../src/config/load.ts'
import { chooseCell } from '../../../src/runtime/cell/choose.ts'
import { probeHost } from '../../../src/runtime/cell/host.ts'
import { absent, programPath } from '../../harness/services.ts'
import { until } from '../../harness/until.ts'
import { policyOf } from './given.ts'

const skip = absent('bwrap')

/** A PATH whose bubblewrap fails in this way as long as the file `fails` is there. */
function failing(t: TestContext, words: string) {
  const dir = mkdtempSync(join(tmpdir(), 'toolgate-host-'))
  t.after(() => rmSync(dir, { recursive: true, force: true }))
  const file = join(dir, 'fails')
  writeFileSync(file, '')
  mkdirSync(join(dir, 'bin'))
  const fake = join(dir, 'bin', 'bwrap')
  const real = programPath('bwrap')
  writeFileSync(
    fake,
    `#!/bin/sh\nif [ -e ${file} ]; then echo '${words}' >&2; exit 1; fi\nexec ${real} "$@"\n`,
  )
  chmodSync(fake, 0o755)
  symlinkSync(programPath('setpriv') ?? '/usr/bin/setpriv', join(dir, 'bin', 'setpriv'))
  return { PATH: join(dir, 'bin'), mend: () => rmSync(file) }
}

const inline = { policy: policyOf({}), runtime: { kind: 'inline', functions: [] } } as const
const configOf = (PATH: string) =>
  ({ ...defaults(), cache: '/nowhere', environment: { PATH } }) as unknown as Config

test('a bubblewrap that fails is no reason for less, and is tried again', { skip }, async (t) => {
  const { PATH, mend } = failing(
    t,
    'bwrap: Creating new namespace failed: Resource temporarily unavailable',
  )
  const cell = await chooseCell(inline, configOf(PATH))
  assert.equal(cell.kind, 'missing')
  assert.match(cell.refusals.join(), /Resource temporarily unavailable; let it work, or say/)
  mend()
  await until('it to be found to work', async () => (await probeHost({ PATH })).bubblewrap !== null)
  assert.equal((await chooseCell(inline, configOf(PATH))).kind, 'bubblewrap')
})

test('one that the system forbids is as good as none', { skip }, async (t) => {
  const { PATH } = failing(t, 'bwrap: setting up uid map: Permission denied')
  assert.equal((await chooseCell(inline, configOf(PATH))).kind, 'permission')
})

test('what asks for anything is refused there', { skip }, async (t) => {
  const { PATH } = failing(t, 'bwrap: No permissions to create new namespace')
  for (const given of [{ env: ['X'] }, { network: 'host' as const }, { memory: 1e6 }]) {
    const cell = await chooseCell({ ...inline, policy: policyOf(given) }, configOf(PATH))
    assert.equal(cell.kind, 'missing', JSON.stringify(given))
  }
})
