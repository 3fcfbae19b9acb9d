import assert from 'node:assert/strict'
import { test } from 'node:test'
import { leadsHere } from '../../../src/runtime/egress/own-addresses.ts'
import { asV4, isPublic } from '../../../src/runtime/egress/public-address.ts'

test('public addresses are public, at the edges of the others too', () => {
  for (const address of [
    '1.1.1.1',
    '9.255.255.255',
    '11.0.0.0',
    '100.63.255.255',
    '100.128.0.0',
    '126.255.255.255',
    '128.0.0.0',
    '169.253.255.255',
    '169.255.0.0',
    '172.15.255.255',
    '172.32.0.0',
    '192.0.1.0',
    '192.167.255.255',
    '192.169.0.0',
    '198.17.255.255',
    '198.20.0.0',
    '223.255.255.255',
    '2606:4700::1111',
    '2001:200::1',
    '2003::1',
    '3ffe::1',
    '::ffff:1.1.1.1',
    '::ffff:101:101',
    '64:ff9b::1.1.1.1',
  ]) {
    assert.ok(isPublic(address), address)
  }
})

const NOT_PUBLIC = {
  unspecified: ['0.0.0.0', '0.1.2.3', '::'],
  loopback: ['127.0.0.1', '127.255.255.255', '::1'],
  private: ['10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1'],
  'of a carrier': ['100.64.0.1', '100.127.255.255', '100.100.100.200'],
  'link-local': ['169.254.0.1', 'fe80::1', 'febf::1', 'fe80::1%eth0', '2606:4700::1%eth0'],
  metadata: ['169.254.169.254', 'fd00:ec2::254', 'fd20:ce::254', '168.63.129.16', '192.0.0.192'],
  'unique local': ['fc00::1', 'fdff::1'],
  'site-local': ['fec0::1', 'feff::1'],
  multicast: ['224.0.0.1', '239.255.255.255', 'ff02::1', 'ff0e::1'],
  reserved: ['240.0.0.1', '255.255.255.255', '192.0.0.1', '100::1', '4000::1', '5f00::1'],
  documentation: ['192.0.2.1', '198.51.100.1', '203.0.113.1', '2001:db8::1', '3fff::1'],
  benchmark: ['198.18.0.1', '198.19.255.255', '2001:2::1'],
  mapped: ['::ffff:127.0.0.1', '::ffff:7f00:1', '::ffff:10.0.0.1', '::ffff:169.254.169.254'],
  compatible: ['::127.0.0.1', '::10.0.0.1', '::1.1.1.1'],
  translated: ['::ffff:0:127.0.0.1', '::ffff:0:1.1.1.1'],
  NAT64: ['64:ff9b::127.0.0.1', '64:ff9b::a9fe:a9fe', '64:ff9b::', '64:ff9b::1', '64:ff9b:1::1'],
  '6to4': ['192.88.99.1', '2002:7f00:1::', '2002:a9fe:a9fe::1', '2002:101:101::1'],
  Teredo: ['2001::1', '2001:0:7f00:1::'],
  'no address': ['', 'example.com', '1.2.3', '0x7f.1', '1.1.1.1 ', '[::1]'],
}

for (const [kind, addresses] of Object.entries(NOT_PUBLIC)) {
  test(`addresses that are not public: ${kind}`, () => {
    for (const address of addresses) assert.ok(!isPublic(address), address)
  })
}

test('an IPv4 address in an IPv6 one is taken out where packets go to it', () => {
  assert.equal(asV4('::ffff:169.254.1.2'), '169.254.1.2')
  assert.equal(asV4('64:ff9b::102:0'), '1.2.0.0')
  assert.equal(asV4('::ffff:0:1'), '0.0.0.1')
  assert.equal(asV4('2606:4700::102:304'), undefined)
})

test('an address leads here when it is of an interface, loopback or unspecified', () => {
  const own = ['1.2.3.4', '2606:4700::5', 'fe80::1%eth0']
  for (const address of [
    '1.2.3.4',
    '::ffff:1.2.3.4',
    '64:ff9b::1.2.3.4',
    '127.0.0.9',
    '::ffff:127.0.0.9',
    '0.0.0.0',
    '::',
    '::1',
    '2606:4700::5',
    '2606:4700:0::5',
    'fe80::1%eth0',
  ]) {
    assert.ok(leadsHere(address, own), address)
  }
  for (const address of ['1.2.3.5', '::ffff:1.2.3.5', '2606:4700::6', '128.0.0.1'])
    assert.ok(!leadsHere(address, own), address)
})
