import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { exchange, type HouseOptions, listen, openHouse, PUBLIC } from './house.ts'

const POLICY = "it is not in the tool's policy"
const NOT_PUBLIC = 'it does not lead to public addresses only'

test('a name that leads to anything but public addresses is refused, and not connected to', async (t) => {
  for (const addresses of [
    ['127.0.0.1'],
    ['169.254.169.254'],
    ['fd00:ec2::254'],
    ['::ffff:10.0.0.1'],
    ['64:ff9b::7f00:1'],
    ['fe80::1%eth0'],
    [PUBLIC, '10.0.0.1'],
    ['2606:4700::1', '::1'],
  ]) {
    const house = await openHouse(t, { lookup: async () => addresses })
    const answer = await exchange(house, connectTo('inside.example:443'))
    assert.match(answer, /^HTTP\/1\.1 403 Forbidden\r\n/)
    assert.ok(answer.endsWith(`inside.example:443: ${NOT_PUBLIC}.\n`), answer)
    for (const address of addresses) assert.ok(!answer.includes(address))
    assert.deepEqual(house.outcomes, ['not_public'])
    assert.deepEqual(house.dialled, [])
  }
})

test('an address in place of a name is checked, however it is written, and not looked up', async (t) => {
  const house = await openHouse(t)
  const hosts = ['127.0.0.1', '0x7f.1', '2130706433', '127.1', '0177.0.0.1', '[::1]', '[::]']
  const metadata = ['169.254.169.254', '0xa9fea9fe', '[::ffff:169.254.169.254]', '[fd00:ec2::254]']
  for (const host of [...hosts, ...metadata]) {
    assert.match(await exchange(house, connectTo(`${host}:80`)), / 403 /, host)
    assert.match(await exchange(house, `GET http://${host}/ HTTP/1.1\r\nHost: x\r\n\r\n`), / 403 /)
  }
  assert.deepEqual(new Set(house.outcomes), new Set(['not_public']))
  assert.deepEqual([house.asked, house.dialled], [[], []])
})

test("the gateway's own ports are refused at every address of this machine, also where they are allowed", async (t) => {
  const own = { lookup: async () => ['198.41.0.4'] }
  for (const network of ['egress', { allow: ['gate.example:8080', '127.0.0.1:8080'] }] as const) {
    const house = await openHouse(t, { ...own, network })
    for (const host of ['gate.example', '127.0.0.1']) {
      const answer = await exchange(house, connectTo(`${host}:8080`))
      assert.ok(answer.endsWith(`${host}:8080: it is a port of the gateway itself.\n`), answer)
    }
    assert.deepEqual(house.outcomes, ['gateway', 'gateway'])
    assert.deepEqual(house.dialled, [])
  }
})

test('other ports of this machine are reached by its public address where a file names them only', async (t) => {
  const far = await listen(
    t,
    createServer((socket) => socket.end('hello')),
  )
  const own: HouseOptions = { far, lookup: async () => ['198.41.0.4'] }
  const open = await openHouse(t, own)
  assert.match(await exchange(open, connectTo('here.example:443')), / 403 /)
  assert.deepEqual([open.outcomes, open.dialled], [['not_public'], []])
  const named = await openHouse(t, { ...own, network: { allow: ['here.example:443'] } })
  assert.match(await exchange(named, connectTo('here.example:443')), /\r\n\r\nhello$/)
})

test('what a list does not name is refused before anyone is asked for its address', async (t) => {
  const house = await openHouse(t, { network: { allow: ['api.example:443'] } })
  for (const place of ['api.example:80', 'other.example:443', `${PUBLIC}:443`]) {
    const answer = await exchange(house, connectTo(place))
    assert.ok(answer.endsWith(`${place}: ${POLICY}.\n`), answer)
  }
  const plain = await exchange(house, 'GET http://api.example/ HTTP/1.1\r\nHost: a\r\n\r\n')
  assert.ok(plain.includes(`api.example:80: ${POLICY}`), plain)
  assert.deepEqual([house.asked, house.dialled], [[], []])
  assert.deepEqual(house.outcomes, Array(4).fill('not_allowed'))
})

test('what a list names is refused all the same where it leads to a private address', async (t) => {
  const network = { allow: ['db.example:5432', '10.0.0.1:5432'] }
  const house = await openHouse(t, { network, lookup: async () => ['10.0.0.1'] })
  assert.match(await exchange(house, connectTo('db.example:5432')), / 403 /)
  assert.match(await exchange(house, connectTo('10.0.0.1:5432')), / 403 /)
  assert.deepEqual([house.outcomes, house.dialled], [['not_public', 'not_public'], []])
})

test('the port of mail between servers is refused where no list names it', async (t) => {
  const house = await openHouse(t)
  assert.match(await exchange(house, connectTo('mx.example:25')), / 403 /)
  assert.deepEqual(house.outcomes, ['not_allowed'])
})

test('a name is looked up once, and the connection goes to the address that was checked', async (t) => {
  const far = await listen(
    t,
    createServer((socket) => socket.end('checked')),
  )
  const answers = [[PUBLIC], ['127.0.0.1']]
  const house = await openHouse(t, { far, lookup: async () => answers.shift() ?? [] })
  assert.match(await exchange(house, connectTo('rebinds.example:80')), /\r\n\r\nchecked$/)
  assert.deepEqual(house.asked, ['rebinds.example'])
  assert.deepEqual(house.dialled, [`${PUBLIC} 80`])
  assert.match(await exchange(house, connectTo('rebinds.example:80')), / 403 /)
  assert.deepEqual(house.dialled, [`${PUBLIC} 80`])
})

test('a name without an address is answered 502, and says no more than that', async (t) => {
  const lookup = () => Promise.reject(Object.assign(new Error('secret'), { code: 'ENOTFOUND' }))
  const house = await openHouse(t, { lookup })
  const answer = await exchange(house, connectTo('lost.example:443'))
  assert.match(answer, /^HTTP\/1\.1 502 .*lost\.example:443: the name has no address\.\n$/s)
  const empty = await openHouse(t, { lookup: async () => [] })
  assert.match(await exchange(empty, connectTo('lost.example:443')), / 502 /)
  assert.deepEqual([...house.outcomes, ...empty.outcomes], ['unresolved', 'unresolved'])
})

test('what was refused is logged with tool, host, port and why, never with a path', async (t) => {
  const house = await openHouse(t, { lookup: async () => ['10.0.0.1'] })
  await exchange(
    house,
    'GET http://in.example:81/path?token=1 HTTP/1.1\r\nHost: in.example\r\n\r\n',
  )
  const msg = 'egress refused'
  const line = { tool: 'fetcher', host: 'in.example', port: 81, why: 'not_public', msg }
  assert.deepEqual(house.lines, [line])
})

test('a tool that hammers is counted whole and logged in part', async (t) => {
  const house = await openHouse(t)
  const many = Array.from({ length: 100 }, () => exchange(house, connectTo('127.0.0.1:80')))
  await Promise.all(many)
  assert.equal(house.outcomes.length, 100)
  assert.ok(house.lines.length >= 10 && house.lines.length < 100, `${house.lines.length} lines`)
})

test('a request that is none is answered 400 and names nothing', async (t) => {
  const house = await openHouse(t)
  for (const sent of [
    connectTo('example.com'),
    connectTo('user@example.com:443'),
    connectTo('[fe80::1%25lo]:443'),
    connectTo('http://example.com:443'),
    'GET / HTTP/1.1\r\nHost: example.com\r\n\r\n',
    'GET https://example.com/ HTTP/1.1\r\nHost: example.com\r\n\r\n',
    'GET ftp://example.com/ HTTP/1.1\r\nHost: example.com\r\n\r\n',
    'GET http://user:pass@example.com/ HTTP/1.1\r\nHost: example.com\r\n\r\n',
    'GET http:///etc HTTP/1.1\r\nHost: example.com\r\n\r\n',
    'GET http://example.com/ HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n',
    'OPTIONS * HTTP/1.1\r\nHost: example.com\r\n\r\n',
    '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
    'hello\r\n\r\n',
    `GET http://example.com/${'x'.repeat(20_000)} HTTP/1.1\r\nHost: a\r\n\r\n`,
  ]) {
    const answer = await exchange(house, sent)
    assert.match(answer, /^HTTP\/1\.1 400 Bad Request\r\n/, sent)
    assert.ok(!answer.includes('example.com'), answer)
  }
  assert.deepEqual(new Set(house.outcomes), new Set(['malformed']))
  assert.deepEqual([house.asked, house.dialled], [[], []])
})

function connectTo(place: string): string {
  return `CONNECT ${place} HTTP/1.1\r\nHost: ${place}\r\n\r\n`
}
