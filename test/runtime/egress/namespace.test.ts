import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { absent } from '../../harness/services.ts'

const skip =
  process.getuid?.() === 0
    ? absent('ip') || absent('unshare') || absent('setpriv')
    : 'network namespaces need root'

const REFUSED = "Refused by the gateway's egress proxy"
const CLOSED = {
  'http://other.example/': 'failed',
  'http://rebinds.example/': 'failed',
  'http://here.example:81/': 'failed',
  'http://here.example:8080/': 'failed',
  'http://5.6.7.8:8080/': 'failed',
  'http://169.254.169.254:81/': 'failed',
  'http://2852039166:81/': 'failed',
  'http://[::ffff:7f00:1]:81/': 'failed',
  'http://127.0.0.2:81/': 'failed',
  direct: 'ENETUNREACH',
}

test('a program without a network reaches what is public, and nothing else', { skip }, async () => {
  const { tried, outcomes } = await inside('egress')
  const inner = 'it does not lead to public addresses only'
  const own = 'it is a port of the gateway itself'
  assert.deepEqual(tried, {
    ...CLOSED,
    'http://public.example/': 'web public.example/',
    'http://PUBLIC.example./': 'web public.example./',
    'http://1.2.3.4/': 'web 1.2.3.4/',
    plain: 'web public.example/plain?q',
    'public.example:7': 'HTTP/1.1 200 Connection Established | ping',
    '0x7f.1:81': `HTTP/1.1 403 Forbidden | ${REFUSED}: 127.0.0.1:81: ${inner}.`,
    '127.0.0.1:8080': `HTTP/1.1 403 Forbidden | ${REFUSED}: 127.0.0.1:8080: ${own}.`,
    '[::1]:8080': `HTTP/1.1 403 Forbidden | ${REFUSED}: [::1]:8080: ${own}.`,
  })
  assert.deepEqual(outcomes, { ok: 5, unresolved: 1, not_public: 7, gateway: 4 })
})

test('with a list it reaches what the list names', { skip }, async () => {
  const { tried, outcomes } = await inside({ allow: ['public.example:80', '127.0.0.1:8080'] })
  const policy = "it is not in the tool's policy"
  assert.deepEqual(tried, {
    ...CLOSED,
    'http://public.example/': 'web public.example/',
    'http://PUBLIC.example./': 'web public.example./',
    'http://1.2.3.4/': 'failed',
    plain: 'web public.example/plain?q',
    'public.example:7': `HTTP/1.1 403 Forbidden | ${REFUSED}: public.example:7: ${policy}.`,
    '0x7f.1:81': `HTTP/1.1 403 Forbidden | ${REFUSED}: 127.0.0.1:81: ${policy}.`,
    '127.0.0.1:8080': `HTTP/1.1 403 Forbidden | ${REFUSED}: 127.0.0.1:8080: it is a port of the gateway itself.`,
    '[::1]:8080': `HTTP/1.1 403 Forbidden | ${REFUSED}: [::1]:8080: ${policy}.`,
  })
  assert.deepEqual(outcomes, { ok: 3, not_allowed: 13, gateway: 1 })
})

/** What `inside.ts` prints; all its traffic stays in its namespace. */
async function inside(network: unknown) {
  const words = ['-n', process.execPath, join(import.meta.dirname, 'inside.ts')]
  const run = promisify(execFile)
  const { stdout } = await run('unshare', [...words, JSON.stringify(network)], { timeout: 60_000 })
  return JSON.parse(stdout)
}
