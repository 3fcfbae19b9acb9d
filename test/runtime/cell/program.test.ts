import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { after, test } from 'node:test'
import { installationLines } from '../../../src/runtime/cell/installation.ts'
import { keptPlaces, liesAround, lookKept } from '../../../src/runtime/cell/kept.ts'
import { placeProgram } from '../../../src/runtime/cell/program.ts'
import { readOnly } from '../../../src/runtime/cell/view.ts'

const root = realpathSync(mkdtempSync(join(tmpdir(), 'toolgate-program-')))
after(() => rmSync(root, { recursive: true, force: true }))
const at = (...names: string[]) => join(root, ...names)

/** A program, executable, at this place. */
function program(...names: string[]): string {
  const file = at(...names)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, '#!/bin/sh\n', { mode: 0o755 })
  return file
}

const configOf = (given: Partial<Parameters<typeof installationLines>[1]>) => ({
  workspace: at('kept', 'workspace'),
  cache: at('kept', 'cache'),
  tools: at('kept', 'tools.d'),
  engine: { socket: null },
  environment: {},
  ...given,
})
const place = (name: string, given = {}) => placeProgram(name, '', [], lookKept(configOf(given)))
const explain = (name: string, given = {}) =>
  installationLines({ runtime: { kind: 'command', program: name, args: [] } }, configOf(given))

test('a program comes with the folder it was installed in, and explain shows that', async () => {
  const look = program('venv', 'bin', 'look')
  assert.deepEqual(await place(look), { program: look, mounts: [readOnly(at('venv'))] })
  assert.deepEqual(await explain(look), [
    {
      what: at('venv'),
      rule: 'read-only, the program and what was installed with it',
      by: 'mount namespace',
    },
  ])
})

const look = program('tg', 'bin', 'look')
symlinkSync(at('tg'), at('tg-link'))
mkdirSync(at('tg', 'deep', 'workspace'), { recursive: true })
symlinkSync(at('tg', 'deep', 'workspace'), at('workspace-link'))
for (const [what, given] of [
  ['the workspace', { workspace: at('tg', 'deep', 'workspace') }],
  ['the workspace by a link', { workspace: at('workspace-link') }],
  ['a workspace that is not there yet', { workspace: at('tg', 'later', 'workspace') }],
  ['the cache', { cache: at('tg', 'cache') }],
  ['the folder of tools', { tools: at('tg', 'tools.d') }],
  ['a socket of an engine', { engine: { socket: at('tg', 'engine.sock') } }],
  ['a socket that a variable names', { environment: { DOCKER_HOST: `unix://${at('tg')}/sock` } }],
] as const) {
  test(`of a folder that holds ${what} the program's file alone is seen`, async () => {
    assert.deepEqual(await place(look, given), { program: look, mounts: [readOnly(look)] })
    assert.deepEqual(await explain(look, given), [])
    const link = at('tg-link', 'bin', 'look')
    const { mounts } = await place(link, given)
    assert.deepEqual(mounts, [readOnly(look), { kind: 'link', source: look, target: link }])
  })
}

for (const [what, given] of [
  ['is the workspace', { workspace: at('tg') }],
  ['lies in the workspace', { workspace: root }],
  ['lies in the cache', { cache: root }],
  ['is the folder of tools', { tools: at('tg') }],
] as const) {
  test(`of a folder that ${what} the program's file alone is seen`, async () => {
    assert.deepEqual((await place(look, given)).mounts, [readOnly(look)])
  })
}

test('a link to a program beside what is kept brings neither folder', async () => {
  mkdirSync(at('tg2', 'bin'), { recursive: true })
  const link = at('tg2', 'bin', 'look')
  symlinkSync(look, link)
  const { mounts } = await place(link, { cache: at('tg', 'cache'), tools: at('tg2', 'tools.d') })
  assert.deepEqual(mounts, [readOnly(look), { kind: 'link', source: look, target: link }])
})

test("a folder around the gateway's own code is never shown, whatever is configured", async () => {
  const own = resolve(import.meta.dirname, '../../..')
  for (const kept of [await keptPlaces(), await keptPlaces(configOf({}))]) {
    assert.equal(await liesAround(own, kept), true)
    assert.equal(await liesAround(dirname(own), kept), true)
    assert.equal(await liesAround(join(own, 'config'), kept), true)
    // Such as the Node that it came with.
    assert.equal(await liesAround(join(own, '.toolchain', 'node'), kept), false)
  }
})

test('of a program that is not there nothing is explained', async () => {
  assert.deepEqual(await explain(at('nowhere', 'bin', 'look')), [])
  await assert.rejects(place(at('nowhere')), /there is no program/)
})
