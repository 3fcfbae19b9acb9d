import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { startGateway } from '../harness/gateway.ts'
import { callRest, toolView } from '../harness/tool-view.ts'
import { until } from '../harness/until.ts'

const TOOLS = join(import.meta.dirname, '../../tools.d')
/** A machine on which there is Node, and nothing that makes cells. */
const bin = mkdtempSync(join(tmpdir(), 'toolgate-bin-'))
symlinkSync(process.execPath, join(bin, 'node'))
after(() => rmSync(bin, { recursive: true, force: true }))

const gateway = await startGateway({ after }, { env: { PATH: bin }, args: ['--tools', TOOLS] })
const WAYS_OUT =
  /bubblewrap \(bwrap\) is not installed; install bubblewrap, or say policy: \{ sandbox: 'none' \}/

test('without bubblewrap the shipped tools that compute alone are served, and listed so', async () => {
  const body = { operator: 'divide', operands: ['1', '8'] }
  const divided = await callRest(gateway, 'calculator', 'calculate', body)
  assert.equal(divided.status, 200, divided.text)
  assert.match(divided.text, /0\.125/)
  const moment = { moment: '2026-03-29T02:30:00+01:00', zone: 'Europe/Paris' }
  const told = await callRest(gateway, 'clock', 'convert', moment)
  assert.equal(told.status, 200, told.text)
  // The zones are Node's own: no file of the machine is read for them.
  assert.match(told.text, /2026-03-29 03:30:00/)
  for (const name of ['calculator', 'clock']) {
    assert.equal((await toolView(gateway, name)).sandbox, 'permission', name)
  }
})

test('without bubblewrap the shipped files answer 503 with the two ways out', async () => {
  const view = await until('it to be looked at', async () => {
    const seen = await toolView(gateway, 'files')
    return seen.state === 'learning' ? undefined : seen
  })
  assert.equal(view.sandbox, 'missing')
  assert.match(JSON.stringify(view.lastError), WAYS_OUT)
  const refused = await callRest(gateway, 'files', 'read_text_file', { path: 'file' })
  assert.deepEqual([refused.status, refused.json().code], [503, 'no_cell'])
  assert.match(String(refused.json().detail), WAYS_OUT)
  // Else the answer would depend on npm and a registry, for a package that cannot be started.
  assert.ok(!gateway.logs.some(({ msg }) => msg === 'package is being installed'))
})
