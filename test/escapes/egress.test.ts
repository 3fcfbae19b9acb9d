import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { absent } from '../harness/services.ts'

const skip =
  process.getuid?.() === 0
    ? absent('bwrap') || absent('ip') || absent('unshare') || absent('python3')
    : 'network namespaces need root'

const REFUSED = {
  inner: 'REFUSED',
  loopback: 'REFUSED',
  metadata: 'REFUSED',
  gateway: 'REFUSED',
  rebound: 'REFUSED',
  direct: 'REFUSED',
}

test('from a cell only what the policy names is reached, and only through the proxy', {
  skip,
}, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'toolgate-hosts-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const hosts = join(folder, 'hosts')
  const names = ['127.0.0.1 localhost', '1.2.3.4 public.example', '127.0.0.1 inner.example']
  // A name with a public and an inner address: the second is what rebinding would lead to.
  names.push('1.2.3.4 rebound.example', '127.0.0.1 rebound.example')
  writeFileSync(hosts, `${names.join('\n')}\n`)
  const inside = join(import.meta.dirname, 'egress-inside.ts')
  const script = `ip link set lo up && ip route add local 1.2.3.4/32 dev lo
    mount --bind ${hosts} /etc/hosts && exec ${process.execPath} ${inside}`
  const { stdout } = await promisify(execFile)(
    'unshare',
    ['--net', '--mount', '--kill-child', '--fork', 'sh', '-euc', script],
    { timeout: 120_000 },
  )
  const { found, logged, counted, host } = JSON.parse(stdout.trim().split('\n').at(-1) ?? '')
  assert.deepEqual(found.egress, { ...REFUSED, public: 'GOT from 1.2.', address: 'GOT from 1.2.' })
  assert.deepEqual(found.listed, { ...REFUSED, public: 'GOT from 1.2.', address: 'REFUSED' })
  assert.deepEqual(found.none, { ...REFUSED, public: 'REFUSED', address: 'REFUSED' })
  assert.equal(found.host.loopback, 'GOT from 127.')
  assert.ok(logged, 'what was refused is in the log')
  assert.ok(counted, 'what was refused is counted')
  const line = host.find(({ what }: { what: string }) => what === 'network')
  assert.match(line.rule, /the host's own/)
})
