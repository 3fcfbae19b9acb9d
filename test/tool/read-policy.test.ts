import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { command, fn, inline } from '../../src/tool/define.ts'
import { checkDeclaration, readDeclaration } from '../../src/tool/read-declaration.ts'

const RUN = { description: 'Run it.', runtime: command('cat') }

function read(value: unknown) {
  const reading = readDeclaration(value, () => ({ type: 'object' }))
  assert.ok('declaration' in reading, JSON.stringify(reading))
  return reading.declaration
}

function mistakes(value: unknown) {
  const reading = readDeclaration(value, () => ({ type: 'object' }))
  assert.ok('errors' in reading, `it was accepted: ${JSON.stringify(value)}`)
  return Object.fromEntries(reading.errors.map((mistake) => [mistake.path, mistake]))
}

function workspaceOf(workspace: unknown, more: object = {}) {
  return read({ ...RUN, ...more, policy: { workspace } }).policy.workspace
}

test('a workspace in a word is one folder of the whole tool', () => {
  assert.deepEqual(workspaceOf(undefined), { access: 'none', per: 'tool' })
  for (const access of ['none', 'read-only', 'read-write']) {
    assert.deepEqual(workspaceOf(access), { access, per: 'tool' })
    assert.deepEqual(workspaceOf(access, { mode: 'daemon' }), { access, per: 'tool' })
  }
})

test('a workspace can be one for each caller or each session', () => {
  for (const access of ['read-only', 'read-write']) {
    for (const per of ['tool', 'caller', 'session']) {
      assert.deepEqual(workspaceOf({ access, per }), { access, per })
    }
  }
})

test('a workspace that is half said, or says more, is a mistake', () => {
  const wrong: [unknown, string][] = [
    ['read-wrote', ''],
    [true, ''],
    [['read-only'], ''],
    [{ access: 'read-only' }, '.per'],
    [{ per: 'caller' }, '.access'],
    [{ access: 'none', per: 'caller' }, '.access'],
    [{ access: 'read-only', per: 'user' }, '.per'],
    [{ access: 'read-only', per: 'tool', path: '/' }, '.path'],
  ]
  for (const [workspace, at] of wrong) {
    const found = mistakes({ ...RUN, policy: { workspace } })
    assert.deepEqual(Object.keys(found), [`policy.workspace${at}`])
  }
})

test('a daemon, which serves all callers with one process, has one folder', () => {
  const echo = fn({ description: 'Echo.', input: z.object({}), run: () => '' })
  const inlined = { description: 'Echo.', runtime: inline({ echo }) }
  for (const per of ['caller', 'session']) {
    const policy = { workspace: { access: 'read-write', per } }
    for (const tool of [
      { ...RUN, mode: 'daemon', policy },
      { ...inlined, policy },
    ]) {
      const found = mistakes(tool)
      assert.deepEqual(Object.keys(found), ['policy.workspace'])
      assert.match(found['policy.workspace']?.message ?? '', new RegExp(`per ${per} .* a daemon`))
      assert.match(found['policy.workspace']?.expected ?? '', /mode: 'launcher'/)
    }
    assert.equal(read({ ...inlined, mode: 'launcher', policy }).policy.workspace.per, per)
  }
})

test('plain data has a workspace as an object, and is held to the same rules', () => {
  const body = read({ ...RUN, policy: { workspace: { access: 'read-only', per: 'session' } } })
  const good = { name: 'cat', version: 'v', file: '/cat.ts', ...body }
  assert.deepEqual(checkDeclaration(structuredClone(good)), good)
  const none = { ...good, ...read(RUN) }
  assert.deepEqual(checkDeclaration(structuredClone(none)), none)
  const forged = [
    { ...good, mode: 'daemon' },
    { ...good, policy: { ...good.policy, workspace: 'read-write' } },
    { ...good, policy: { ...good.policy, workspace: { access: 'read-write', per: '..' } } },
    { ...good, runtime: { ...good.runtime, args: ['{workspace}/../other'] } },
    { ...good, policy: { ...good.policy, env: ['LD_PRELOAD'] } },
    { ...good, policy: { ...good.policy, files: { read: [], write: ['/a/../b'] } } },
  ]
  for (const data of forged) assert.throws(() => checkDeclaration(data), TypeError)
})

test('what follows {workspace} stays inside it', () => {
  const inside = [
    '{workspace}',
    '{workspace}/',
    '{workspace}/a/b.txt',
    '--root={workspace}/a',
    '{workspace}/..a/b..',
    '{workspace}/a...',
    'file://{workspace}/100%25',
    '{workspace}:{workspace}/b',
    'Work in {workspace}.',
    '../elsewhere',
    '%2e%2e/{workspace}',
  ]
  const { runtime } = read({ ...RUN, runtime: command('cat', ...inside) })
  assert.deepEqual(runtime.kind === 'command' && runtime.args, inside)
  const outside = [
    '{workspace}/..',
    '{workspace}/../other',
    '{workspace}/a/../../other',
    '{workspace}/a/..\\..\\b',
    '{workspace}\\..\\b',
    '{workspace}..',
    '{workspace}../b',
    '{workspace}/%2e%2e/b',
    '{workspace}/%2E./b',
    '{workspace}/.%2e',
    '{workspace}%2f..%2fb',
    '{workspace}/..%5cb',
    '{workspace}/%252e%252e/b',
    '{workspace}/%%32e%252%65/b',
    '{workspace}/a%00',
    '{workspace}/a\0',
    '--both={workspace}/a:{workspace}/../b',
    '{workspace}/a,{workspace}/..,b',
    // Another tool's folder lies beside it.
    '{workspace}-old/b',
    '{workspace}2',
  ]
  for (const arg of outside) {
    const found = mistakes({ ...RUN, runtime: command('cat', '-u', arg) })
    assert.deepEqual(Object.keys(found), ['runtime.args[1]'], arg)
    assert.match(found['runtime.args[1]']?.expected ?? '', /a path inside \{workspace\}/)
  }
})

test('a long argument is looked through in no time', () => {
  const begun = performance.now()
  const arg = `{workspace}/${'%25'.repeat(300_000)}${'/.'.repeat(300_000)}`
  read({ ...RUN, runtime: command('cat', arg) })
  assert.ok(performance.now() - begun < 2_000)
})

test('a variable that loaders or the gateway act upon cannot be handed on', () => {
  const good = ['API_TOKEN', 'OLD_PATH', 'GCONV', 'NODE_OPTIONS', 'LD']
  assert.deepEqual(read({ ...RUN, policy: { env: good } }).policy.env, good)
  const loaders = ['LD_PRELOAD', 'ld_library_path', 'DYLD_INSERT_LIBRARIES', 'GCONV_PATH']
  const names = [...loaders, 'GLIBC_TUNABLES', 'X_TOOLGATE_INSTANCE', 'X_TOOLGATE_']
  for (const name of names) {
    const found = mistakes({ ...RUN, policy: { env: ['API_TOKEN', name] } })
    assert.deepEqual(Object.keys(found), ['policy.env[1]'], name)
    assert.match(found['policy.env[1]']?.message ?? '', new RegExp(name))
    assert.match(found['policy.env[1]']?.expected ?? '', /that is not for loaders or the gateway/)
    const secrets = mistakes({ ...RUN, policy: { secrets: { [name]: 'env:OTHER' } } })
    assert.deepEqual(Object.keys(secrets), [`policy.secrets.${name}`])
  }
})

test('a path of this machine is written in one way only', () => {
  const files = { read: ['/srv/data', '/srv/..data', '/'], write: ['/var/lib/reports'] }
  assert.deepEqual(read({ ...RUN, policy: { files } }).policy.files, files)
  const outside = ['/srv/../etc', '/srv/..', '/..', 'srv', '../srv', '~/srv', '']
  const untidy = ['/srv//data', '//srv', '/srv/./data', '/srv/data/', '/srv/\0']
  for (const path of [...outside, ...untidy]) {
    for (const side of ['read', 'write']) {
      const found = mistakes({ ...RUN, policy: { files: { [side]: ['/srv', path] } } })
      assert.deepEqual(Object.keys(found), [`policy.files.${side}[1]`], path)
      assert.match(found[`policy.files.${side}[1]`]?.expected ?? '', /^an absolute path without/)
    }
  }
})
