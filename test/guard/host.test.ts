import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkHost, checkOrigin } from '../../src/guard/host.ts'
import { configWith, type GuardConfig } from './given.ts'

const LOOPBACK = configWith()
const LISTED = configWith({ hosts: ['Gateway.example'] })
const PUBLIC = configWith({ host: '0.0.0.0' })
const PUBLIC_LISTED = configWith({ host: '10.0.0.7', hosts: ['gateway.example'] })

const HOSTS: [host: string, config: GuardConfig, allowed: boolean][] = [
  ['localhost', LOOPBACK, true],
  ['localhost:8080', LOOPBACK, true],
  ['LOCALHOST:1', LOOPBACK, true],
  ['127.0.0.1:8080', LOOPBACK, true],
  ['127.1.2.3', LOOPBACK, true],
  ['[::1]:8080', LOOPBACK, true],
  ['evil.example', LOOPBACK, false],
  ['evil.example:8080', LOOPBACK, false],
  ['localhost.evil.example', LOOPBACK, false],
  ['127.0.0.1.evil.example', LOOPBACK, false],
  ['evil-localhost', LOOPBACK, false],
  ['0.0.0.0:8080', LOOPBACK, false],
  ['192.168.1.5', LOOPBACK, false],
  ['gateway.example', LOOPBACK, false],
  ['gateway.example:443', LISTED, true],
  ['GATEWAY.example', LISTED, true],
  ['localhost', LISTED, true],
  ['evil.gateway.example', LISTED, false],
  ['anything.example', PUBLIC, true],
  ['10.0.0.7:8080', PUBLIC, true],
  ['gateway.example', PUBLIC_LISTED, true],
  ['10.0.0.7:8080', PUBLIC_LISTED, true],
  ['localhost:8080', PUBLIC_LISTED, true],
  ['evil.example', PUBLIC_LISTED, false],
]

for (const [host, config, allowed] of HOSTS) {
  const { listen, hosts } = config
  const where = `${listen.host} with hosts [${hosts}]`
  test(`Host ${host} is ${allowed ? 'taken' : 'refused'} on ${where}`, () => {
    const check = () => checkHost({ host }, config)
    if (allowed) check()
    else assert.throws(check, { code: 'forbidden_host', status: 403 })
  })
}

test('a Host that is absent or malformed is refused everywhere', () => {
  const malformed = [
    '',
    ' ',
    'localhost:',
    'localhost:port',
    'localhost:123456',
    'localhost:8080:8080',
    'localhost, localhost',
    'localhost/path',
    'user@localhost',
    'http://localhost',
    'local host',
    'localhost.',
    '.localhost',
    '-localhost',
    '::1',
    '[::1',
    '[localhost]',
    '[::1%lo]',
    'localhost\u0000',
    'localhost\n',
    'loc\u212ahost',
    'x'.repeat(300),
  ]
  for (const config of [LOOPBACK, PUBLIC]) {
    assert.throws(() => checkHost({}, config), { code: 'forbidden_host' })
    for (const host of malformed) {
      const check = () => checkHost({ host }, config)
      assert.throws(check, { code: 'forbidden_host' }, JSON.stringify(host))
    }
  }
})

test('two Host headers are refused, even where Node keeps a good one', () => {
  const headers = { host: 'localhost' }
  checkHost(headers, LOOPBACK, ['Host', 'localhost', 'Accept', 'host'])
  for (const second of ['evil.example', 'localhost']) {
    const raw = ['Host', 'localhost', 'hOST', second]
    assert.throws(() => checkHost(headers, LOOPBACK, raw), { code: 'forbidden_host' })
  }
})

const APP = ['https://app.example']

const ORIGINS: [origin: string | undefined, host: string, origins: string[], allowed: boolean][] = [
  [undefined, 'localhost:8080', [], true],
  ['http://localhost:8080', 'localhost:8080', [], true],
  ['https://localhost:8080', 'localhost:8080', [], true],
  ['https://gateway.example', 'Gateway.example', [], true],
  ['http://[::1]:8080', '[::1]:8080', [], true],
  ['http://localhost:8081', 'localhost:8080', [], false],
  ['http://localhost', 'localhost:8080', [], false],
  ['http://127.0.0.1:8080', 'localhost:8080', [], false],
  ['http://evil.example', 'localhost:8080', [], false],
  ['http://localhost:8080.evil.example', 'localhost:8080', [], false],
  ['http://user@localhost:8080', 'localhost:8080', [], false],
  ['http://localhost:8080/', 'localhost:8080', [], false],
  ['ftp://localhost:8080', 'localhost:8080', [], false],
  ['localhost:8080', 'localhost:8080', [], false],
  ['', 'localhost:8080', [], false],
  ['null', 'localhost:8080', [], false],
  ['null', 'null', [], false],
  ['null', 'localhost:8080', APP, false],
  ['null', 'localhost:8080', ['*'], true],
  ['https://app.example', 'localhost:8080', APP, true],
  ['http://app.example', 'localhost:8080', APP, false],
  ['https://app.example:8443', 'localhost:8080', APP, false],
  ['https://evil.app.example', 'localhost:8080', APP, false],
  ['https://app.example, https://evil.example', 'localhost:8080', APP, false],
  ['https://evil.example', 'localhost:8080', ['*'], true],
]

for (const [origin, host, origins, allowed] of ORIGINS) {
  const title = `Origin ${origin ?? '(none)'} to Host ${host} with origins [${origins}]`
  test(`${title} is ${allowed ? 'taken' : 'refused'}`, () => {
    const headers = origin === undefined ? { host } : { host, origin }
    const check = () => checkOrigin(headers, configWith({ origins }))
    if (allowed) check()
    else assert.throws(check, { code: 'forbidden_host', status: 403 })
  })
}

test('an Origin without a Host is refused', () => {
  assert.throws(() => checkOrigin({ origin: 'http://localhost' }, LOOPBACK), {
    code: 'forbidden_host',
  })
})
