import assert from 'node:assert/strict'
import { test } from 'node:test'
import { allowedBy, readDestination } from '../../../src/runtime/egress/destination.ts'

test('a host is read in lower case and ASCII, without a trailing dot', () => {
  for (const [text, host] of [
    ['example.com:443', 'example.com'],
    ['EXAMPLE.Com.:443', 'example.com'],
    ['bücher.example:443', 'xn--bcher-kva.example'],
    ['_dmarc.example.com:443', '_dmarc.example.com'],
    ['[2606:4700:0:0::1111]:443', '[2606:4700::1111]'],
    ['[::FFFF:1.2.3.4]:443', '[::ffff:102:304]'],
  ] as const) {
    assert.deepEqual(readDestination(text), { host, port: 443 }, text)
  }
})

test('every way to write an IPv4 address becomes the usual one', () => {
  for (const host of [
    '127.0.0.1',
    '127.1',
    '127.0.1',
    '0x7f.1',
    '0x7f000001',
    '0177.0.0.1',
    '2130706433',
    '017700000001',
    '127.0.0.1.',
    '１２７.0.0.1',
    '127。0。0。1',
  ]) {
    assert.deepEqual(readDestination(`${host}:80`), { host: '127.0.0.1', port: 80 }, host)
  }
})

test('what is no host and port is none', () => {
  for (const text of [
    '',
    ':443',
    'example.com',
    'example.com:',
    'example.com:0',
    'example.com:65536',
    'example.com:443:443',
    'example.com:4.4e2',
    'example.com:-1',
    'example.com:443/',
    'http://example.com:443',
    'user@example.com:443',
    'example.com/x:443',
    'example.com?x:443',
    'example.com#x:443',
    'example.com\\x:443',
    'exam ple.com:443',
    'exam\tple.com:443',
    'exam\0ple.com:443',
    'example%2ecom:443',
    '%31%32%37.0.0.1:443',
    'a..b:443',
    '..:443',
    '1.2.3.256:443',
    'example.0x4:443',
    '::1:443',
    '[::1:443',
    '[::1]',
    '[fe80::1%eth0]:443',
    '[fe80::1%25eth0]:443',
    '[127.0.0.1]:443',
    `${'a'.repeat(254)}:443`,
  ]) {
    assert.equal(readDestination(text), undefined, JSON.stringify(text))
  }
})

test('a port that is not said is the one of the protocol', () => {
  assert.deepEqual(readDestination('example.com', 80), { host: 'example.com', port: 80 })
  assert.deepEqual(readDestination('example.com:8080', 80), { host: 'example.com', port: 8080 })
})

test('egress allows every port but the one of mail between servers', () => {
  const allows = allowedBy('egress')
  assert.ok(allows({ host: 'example.com', port: 443 }))
  assert.ok(allows({ host: 'example.com', port: 587 }))
  assert.ok(!allows({ host: 'example.com', port: 25 }))
})

test('a list allows exactly its pairs, however they are written', () => {
  const network = { allow: ['API.Example.com.:443', 'bücher.example:80', '[2606:4700::1]:25'] }
  const allows = (text: string) => {
    const destination = readDestination(text)
    assert.ok(destination)
    return allowedBy(network)(destination)
  }
  assert.ok(allows('api.example.com:443'))
  assert.ok(allows('Api.EXAMPLE.com.:443'))
  assert.ok(allows('xn--bcher-kva.example:80'))
  assert.ok(allows('[2606:4700:0::1]:25'))
  assert.ok(!allows('api.example.com:80'))
  assert.ok(!allows('example.com:443'))
  assert.ok(!allows('x.api.example.com:443'))
  assert.ok(!allows('api.example.com.evil.example:443'))
})

test('an empty list allows nothing', () => {
  assert.ok(!allowedBy({ allow: [] })({ host: 'example.com', port: 443 }))
})
