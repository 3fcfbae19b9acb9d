import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { type EnterOptions, enterCell } from '../../../src/runtime/cell/enter.ts'
import type { LimitGroup } from '../../../src/runtime/limits/limits.ts'
import { marked } from '../../harness/processes.ts'
import { until } from '../../harness/until.ts'

const dir = mkdtempSync(join(tmpdir(), 'toolgate-enter-'))
after(() => rmSync(dir, { recursive: true, force: true }))
const hangs = join(dir, 'hangs')
writeFileSync(hangs, '#!/bin/sh\nwhile :; do sleep 1; done\n')
chmodSync(hangs, 0o755)

/** What is asked of a cell, with a group of limits that says whether it was removed. */
function asked(bubblewrap: string, more: Partial<EnterOptions> = {}) {
  const group = { removed: 0 }
  const limits: Partial<LimitGroup> = {
    entrance: [],
    enter: async () => {},
    breach: () => undefined,
    remove: async () => {
      group.removed += 1
    },
  }
  const options = {
    cell: { flags: () => [], words: () => [] },
    given: { mounts: [], workspace: null, user: null, env: {} },
    bubblewrap,
    program: '/bin/true',
    args: [hangs],
    cwd: '/',
    mark: 'mark',
    group: Promise.resolve(limits),
    within: 20_000,
    ...more,
  } as unknown as EnterOptions
  return { options, group }
}

test('a bubblewrap that cannot be started leaves no group', async () => {
  const { options, group } = asked(join(dir, 'nowhere'))
  await assert.rejects(enterCell(options), { code: 'tool_failed_to_start' })
  assert.equal(group.removed, 1)
})

test('one whose building met its own bound is told so', async () => {
  const fails = join(dir, 'fails')
  writeFileSync(fails, '#!/bin/sh\nexit 1\n')
  chmodSync(fails, 0o755)
  const { options, group } = asked(fails)
  // As of the kernel's, nothing is known of a group any more once it is removed.
  const breach = () => (group.removed === 0 ? 'it used more than its memory (1 MB)' : undefined)
  const limits = { ...(await options.group), breach } as LimitGroup
  await assert.rejects(enterCell({ ...options, group: Promise.resolve(limits) }), {
    code: 'tool_failed_to_start',
    message: 'The cell of the tool could not be built: it used more than its memory (1 MB).',
  })
  assert.equal(group.removed, 1)
})

test('one that never says anything is given up in time, with all that is left of it', async () => {
  const { options, group } = asked(hangs, { within: 300 })
  await assert.rejects(enterCell(options), /was not built within 300 ms/)
  assert.equal(group.removed, 1)
  await until('it to be gone', () => marked(hangs).length === 0)
})

test('a start that is given up ends it', async () => {
  const ending = new AbortController()
  const { options, group } = asked(hangs, { signal: ending.signal })
  const entering = enterCell(options)
  await until('it to run', () => marked(hangs).length > 0)
  ending.abort()
  await assert.rejects(entering, { code: 'tool_gone' })
  assert.equal(group.removed, 1)
  await until('it to be gone', () => marked(hangs).length === 0)
})

test('a start that was given up before it began starts nothing', async () => {
  const { options, group } = asked(hangs, { signal: AbortSignal.abort() })
  await assert.rejects(enterCell(options), { code: 'tool_gone' })
  assert.equal(group.removed, 1)
  assert.equal(marked(hangs).length, 0)
})

test('what a tool is given of the environment is nothing to bubblewrap itself', async () => {
  const tells = join(dir, 'tells')
  writeFileSync(tells, `#!/bin/sh\ntr '\\0' '\\n' <&6 >${dir}/told; env >&2; exit 1\n`)
  chmodSync(tells, 0o755)
  const { options } = asked(tells)
  const env = { LD_PRELOAD: 'own.so', SHELLOPTS: 'xtrace' }
  const error = await enterCell({
    ...options,
    cell: { flags: (given) => Object.entries(given.env).flat(), words: () => [] },
    given: { ...options.given, env },
  }).then(
    () => assert.fail('it was entered'),
    ({ cause }: Error) => String(cause),
  )
  assert.match(error, /X_TOOLGATE_\w+=mark/)
  assert.doesNotMatch(error, /own\.so|xtrace/)
  const told = readFileSync(join(dir, 'told'), 'utf8').split('\n')
  assert.deepEqual(told.slice(0, 4), ['LD_PRELOAD', 'own.so', 'SHELLOPTS', 'xtrace'])
  assert.equal(told[5], 'mark')
})

test('what would be more than one word to bubblewrap builds no cell', async () => {
  const { options, group } = asked(hangs)
  const given = { ...options.given, env: { A: 'x\0--bind\0/\0/host' } }
  const cell = { flags: ({ env }: { env: object }) => Object.values(env), words: () => [] }
  await assert.rejects(enterCell({ ...options, cell, given }), ({ cause }: Error) => {
    return /a NUL/.test(String(cause))
  })
  assert.equal(group.removed, 1)
  assert.equal(marked(hangs).length, 0)
})
