import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, realpathSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fixture } from '../harness/fixtures.ts'
import { startGateway } from '../harness/gateway.ts'
import { raw } from '../harness/raw.ts'
import { absent } from '../harness/services.ts'
import { errorOf, initialize, openSession } from '../harness/session.ts'
import { until } from '../harness/until.ts'

const skip = absent('bwrap')
const FIXTURES = new URL('../fixtures', import.meta.url).pathname
const KEYS = { ann: 'key-of-ann-0123456789', bob: 'key-of-bob-0123456789' }
const keys = Object.entries(KEYS).map(([id, key]) => ({
  id,
  hash: `sha256:${createHash('sha256').update(key).digest('hex')}`,
}))
const headersOf = (caller: keyof typeof KEYS) => ({ authorization: `Bearer ${KEYS[caller]}` })
const tool = (workspace: unknown, more = {}) => ({
  command: fixture('runs-scripts'),
  policy: { sandbox: 'required', workspace, files: { read: [FIXTURES] } },
  idle: '1m',
  ...more,
})
const probe = `import { defineTool, fn, inline } from 'toolgate'
import { z } from 'zod'
export default defineTool({
  description: 'Looks for a way out.',
  runtime: inline({
    fetch: fn({
      description: 'Fetch.',
      input: z.object({ url: z.string() }),
      run: ({ url }) => fetch(url, { signal: AbortSignal.timeout(2000) }).then(() => 'THROUGH', (e) => String(e.cause?.code)),
    }),
  }),
})
`
const gateway = skip
  ? undefined
  : await startGateway(
      { after },
      {
        config: { keys },
        tools: {
          reads: tool('read-only'),
          writes: tool('read-write'),
          nothing: tool('none'),
          callers: tool({ access: 'read-write', per: 'caller' }),
          sessions: tool({ access: 'read-write', per: 'session' }),
          where: {
            command: fixture('echo'),
            policy: { sandbox: 'required', files: { read: [FIXTURES] } },
          },
          greedy: {
            command: fixture('echo'),
            policy: { sandbox: 'required', files: { read: [FIXTURES, '/proc'] } },
          },
          etc: {
            command: fixture('echo'),
            policy: { sandbox: 'required', files: { read: [FIXTURES, '/etc'] } },
          },
          lost: {
            command: ['no-such-program'],
            policy: { sandbox: 'required', files: { read: ['/proc'] } },
          },
          probe,
        },
      },
    )
const url = (name: string) => `${gateway?.url}/mcp/${name}`
const open = (name: string, caller: keyof typeof KEYS = 'ann') =>
  openSession(url(name), { headers: headersOf(caller) })
type Session = Awaited<ReturnType<typeof open>>
const sh = async (session: Session, script: string) =>
  String(JSON.parse(await session.callText('sh', { script })).said).trim()

test('a tool finds in its environment what it was given, and nothing else', { skip }, async () => {
  const session = await open('nothing')
  const said = await sh(session, "tr '\\0' '\\n' </proc/$PPID/environ | cut -d= -f1")
  const names = said.split('\n').sort()
  assert.deepEqual(names, ['HOME', 'PATH', 'PWD', 'TMPDIR', 'TRACEPARENT', 'X_TOOLGATE_INSTANCE'])
  await session.end()
})

test('a tool is in the time zone of its machine, and finds its name', { skip }, async () => {
  const session = await open('nothing')
  // Where it is a link into what is seen; else the file itself is there.
  const leads = existsSync('/etc/localtime') ? realpathSync('/etc/localtime') : ''
  const expected = leads.startsWith('/usr/') ? leads : '/etc/localtime'
  assert.equal(await sh(session, 'readlink -f /etc/localtime'), expected)
  const zone = execFileSync('date', ['+%Z'], {
    encoding: 'utf8',
    env: { ...process.env, TZ: undefined },
  })
  assert.equal(await sh(session, 'date +%Z'), zone.trim())
  await session.end()
})

test('a tool that is given all of /etc starts', { skip }, async () => {
  const session = await open('etc')
  assert.equal(await session.callText('echo', { a: 1 }), '{"a":1}')
  await session.end()
})

test('a tool whose file asks for what nobody is given does not start, at any entrance', {
  skip,
}, async () => {
  const why = /policy\.files\.read\[1\] is, holds or lies in the kernel’s own/
  const headers = headersOf('ann')
  const mcp = await initialize(url('greedy'), { headers })
  const { code, message } = errorOf(mcp.json())
  assert.equal(code, -32017)
  assert.match(message, why)
  const rest = await raw(`${gateway?.url}/v1/tools/greedy/echo`, { headers, body: {} })
  assert.equal(rest.status, 503)
  assert.match(rest.text, why)
})

test('what its file may not ask for is told before what its program lacks', {
  skip,
}, async () => {
  const mcp = await initialize(url('lost'), { headers: headersOf('ann') })
  assert.match(String(errorOf(mcp.json()).message), /policy\.files\.read\[0\]/)
})

test('a tool lists its folder, and that alone', { skip }, async () => {
  const folder = join(gateway?.workspace ?? '', 'reads')
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'here'), 'text')
  const session = await open('reads')
  assert.equal(
    await sh(session, 'ls; pwd; ls /workspace; cat here'),
    'here\n/workspace\nhere\ntext',
  )
  await session.end()
})

test('a read-only folder can be read, and not be written or changed', { skip }, async () => {
  const session = await open('reads')
  const said = await sh(
    session,
    'touch new || true; rm here || true; mv here there || true; chmod 777 here || true; ls',
  )
  assert.match(said, /Read-only file system/)
  assert.match(said, /^here$/m)
  assert.doesNotMatch(said, /^new$|^there$/m)
  await session.end()
})

test('a read-write folder keeps what is written, for the next session too', { skip }, async () => {
  const first = await open('writes')
  await sh(first, 'echo kept > /workspace/file')
  await first.end()
  const second = await open('writes', 'bob')
  assert.equal(await sh(second, 'cat /workspace/file'), 'kept')
  await second.end()
  assert.ok(existsSync(join(gateway?.workspace ?? '', 'writes', 'file')))
})

test('without a workspace there is none', { skip }, async () => {
  const session = await open('nothing')
  assert.match(await sh(session, 'pwd; ls /workspace'), /^\/tmp\n.*No such file/)
  await session.end()
})

test('a folder for each caller: kept for one, never seen by the other, at each entrance', {
  skip,
}, async () => {
  const ann = await open('callers', 'ann')
  await sh(ann, 'echo of-ann > /workspace/file')
  await ann.end()
  const bob = await open('callers', 'bob')
  assert.equal(await sh(bob, 'ls -A /workspace'), '')
  await sh(bob, 'echo of-bob > /workspace/file')
  await bob.end()
  for (const caller of ['ann', 'bob'] as const) {
    const reply = await raw(`${gateway?.url}/v1/tools/callers/sh`, {
      method: 'POST',
      headers: headersOf(caller),
      body: { script: 'cat /workspace/file' },
    })
    assert.match(reply.text, new RegExp(`of-${caller}`), reply.text)
  }
})

test('a folder for each session is empty at first, and gone afterwards', { skip }, async () => {
  const folders = () => {
    const root = join(gateway?.workspace ?? '', '.sessions', 'sessions')
    return existsSync(root) ? readdirSync(root) : []
  }
  const [first, second] = [await open('sessions'), await open('sessions')]
  await sh(first, 'echo mine > /workspace/file')
  assert.equal(await sh(second, 'ls -A /workspace'), '')
  assert.equal(folders().length, 2)
  await Promise.all([first.end(), second.end()])
  await until('the folders to be gone', () => folders().length === 0)
})

test('a tool knows nothing of who calls, and how they showed it', { skip }, async () => {
  const session = await openSession(url('where'), {
    headers: { ...headersOf('ann'), cookie: 'a=b' },
  })
  const said = await session.callText('where')
  assert.doesNotMatch(said, /key-of-ann|authorization|bearer|cookie/i)
  await session.end()
})

test('an inline tool without a network reaches neither the world nor this machine', {
  skip,
}, async () => {
  for (const target of ['http://1.2.3.4/', `${gateway?.url}/healthz`]) {
    const reply = await raw(`${gateway?.url}/v1/tools/probe/fetch`, {
      method: 'POST',
      headers: headersOf('ann'),
      body: { url: target },
    })
    assert.equal(reply.status, 200, reply.text)
    assert.doesNotMatch(reply.text, /THROUGH/)
    assert.match(reply.text, /ENETUNREACH|ECONNREFUSED|EAI_AGAIN/)
  }
})
