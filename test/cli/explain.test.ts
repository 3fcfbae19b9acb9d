import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { absent } from '../harness/services.ts'
import { toolgate } from './toolgate.ts'

const folder = mkdtempSync(join(tmpdir(), 'toolgate-explain-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const tools = join(folder, 'tools.d')
mkdirSync(tools)
const write = (name: string, policy: string) =>
  writeFileSync(
    join(tools, `${name}.ts`),
    `import { command, defineTool } from 'toolgate'
export default defineTool({
  description: 'A tool.',
  runtime: command('cat'),
  policy: ${policy},
})
`,
  )
write(
  'given',
  `{ network: { allow: ['example.com:443'] }, workspace: 'read-only', env: ['LANG', 'REGION'],
     secrets: { TOKEN: 'file:/run/secret-place' }, memory: '256MB', processes: 32,
     files: { read: ['/etc/hostname'] } }`,
)
write('trusted', `{ sandbox: 'none' }`)
write('greedy', `{ files: { read: ['/'] } }`)

const skip = absent('bwrap')
const run = (...args: string[]) => toolgate(folder, ['explain', ...args, '--tools', tools])

test('every line of a cell says what, how much and by what', { skip }, async () => {
  const { code, stdout } = await run('given')
  assert.equal(code, 0)
  for (const line of [
    /^given {2}command {2}launcher {2}sandbox: bubblewrap$/m,
    /network +only example\.com:443 {2}\[network namespace and egress proxy\]/,
    /workspace +read-only, one of the tool, at \/workspace {2}\[mount namespace\]/,
    /\/etc\/hostname +read-only {2}\[mount namespace\]/,
    /memory +at most 256 MB {2}\[(cgroup|prlimit)/,
    /processes and threads +at most 32 {2}\[(cgroup|prlimit)/,
    /system calls +refused: .*ptrace.* {2}\[seccomp\]/,
    /environment .*only LANG, LC_ALL, TZ, REGION, TOKEN, and a PATH of what is seen {2}/,
  ]) {
    assert.match(stdout, line)
  }
  assert.doesNotMatch(stdout, /secret-place/)
})

test('the same as JSON', { skip }, async () => {
  const { code, stdout } = await run('given', '--json')
  const { sandbox, lines, refusals } = JSON.parse(stdout)
  assert.deepEqual([code, sandbox, refusals], [0, 'bubblewrap', []])
  for (const { what, rule, by } of lines) {
    assert.deepEqual([typeof what, typeof rule, typeof by], ['string', 'string', 'string'])
  }
})

test('a tool that gave up its cell is told to be so', async () => {
  const { code, stdout } = await run('trusted')
  assert.equal(code, 0)
  assert.match(stdout, /sandbox: none\n.*none, by its file's policy\.sandbox.*\[not enforced\]/)
})

test('what cannot be given is an exit code of 1, and says why', { skip }, async () => {
  const { code, stderr } = await run('greedy')
  assert.equal(code, 1)
  assert.match(stderr, /^does not start: policy\.files\.read\[0\] is, holds or lies in/m)
})

test('a tool that is not there is not explained, and the nearest is named', async () => {
  const { code, stderr } = await run('trustet')
  assert.equal(code, 1)
  assert.match(stderr, /there is no tool "trustet" \(did you mean "trusted"\?\)/)
})
