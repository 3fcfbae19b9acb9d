import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { connect, createServer, Socket } from 'node:net'
import { dirname } from 'node:path'
import { buffer, text } from 'node:stream/consumers'
import { test } from 'node:test'
import { EgressProxy } from '../../../src/runtime/egress/proxy.ts'
import { until, within } from '../../harness/until.ts'
import { exchange, type House, listen, openHouse, PUBLIC, recorder } from './house.ts'

const CONNECT = 'CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n'

test('what is sent ahead of the answer arrives first, and bytes pass both ways', async (t) => {
  const far = await listen(
    t,
    createServer((socket) => socket.pipe(socket)),
  )
  const house = await openHouse(t, { far })
  const answer = await exchange(house, `${CONNECT}ahead, \0\xff`)
  assert.equal(answer, 'HTTP/1.1 200 Connection Established\r\n\r\nahead, \0\xff')
  assert.deepEqual([house.outcomes, house.dialled], [['ok'], [`${PUBLIC} 443`]])
})

test('one side may be done long before the other', async (t) => {
  const far = createServer({ allowHalfOpen: true }, async (socket) => {
    socket.write('early')
    const got = await buffer(socket)
    socket.end(`late: ${got.length}`)
  })
  const house = await openHouse(t, { far: await listen(t, far) })
  const tool = await tunnelOf(house)
  tool.end(Buffer.alloc(1_000_000))
  assert.equal(await text(tool), 'earlylate: 1000000')
  const closes = createServer({ allowHalfOpen: true }, (socket) => {
    socket.end('bye')
    socket.resume().on('end', () => socket.destroy())
  })
  const other = await openHouse(t, { far: await listen(t, closes) })
  const second = await tunnelOf(other)
  assert.equal(await text(second), 'bye')
  assert.ok(second.writable)
  second.end('still heard')
  await until('nothing is open', () => connections(closes).then((open) => open === 0))
})

test('all that was sent arrives at a slow reader, who holds the sender up', async (t) => {
  const size = 32 * 1024 * 1024
  let sent = 0
  const far = createServer((socket) => {
    const more = () => {
      while (sent < size) {
        sent += 65_536
        if (!socket.write(Buffer.alloc(65_536))) return void socket.once('drain', more)
      }
      socket.end()
    }
    more()
  })
  const house = await openHouse(t, { far: await listen(t, far) })
  const tool = await tunnelOf(house)
  tool.pause()
  await until('the sender waits', async () => {
    const before = sent
    await new Promise((later) => setTimeout(later, 100))
    return sent > 0 && sent === before
  })
  assert.ok(sent < size, `${sent} bytes were taken without a reader`)
  let got = 0
  for await (const chunk of tool) got += (chunk as Buffer).length
  assert.equal(got, size)
})

test('a side that breaks takes the other one with it', async (t) => {
  const inside: Socket[] = []
  const far = await listen(
    t,
    createServer((socket) => inside.push(socket)),
  )
  const house = await openHouse(t, { far })
  const first = await tunnelOf(house)
  await until('the far side is there', () => inside[0])
  first.destroy()
  await within(5_000, 'the far side is closed', once(inside[0] as Socket, 'close'))
  const second = await tunnelOf(house)
  await until('the far side is there', () => inside[1])
  inside[1]?.resetAndDestroy()
  second.resume()
  await within(5_000, 'the tool is told', once(second, 'end'))
})

test('the next address is tried where one refuses or keeps silent', async (t) => {
  const far = await listen(
    t,
    createServer((socket) => socket.end('third')),
  )
  const port = (far.address() as { port: number }).port
  const dialled: string[] = []
  const house = await openHouse(t, {
    lookup: async () => ['2606:4700::1', '1.1.1.1', '1.0.0.1'],
    connect: (address) => {
      dialled.push(address)
      if (address === '1.1.1.1') return new Socket()
      return connect({ host: '127.0.0.1', port: address === '1.0.0.1' ? port : 1 })
    },
  })
  assert.match(await exchange(house, CONNECT), /third$/)
  assert.deepEqual(dialled, ['2606:4700::1', '1.1.1.1', '1.0.0.1'])
  assert.deepEqual(house.outcomes, ['ok'])
})

test('a connection that fails is answered 502, one that is not made in time 504', async (t) => {
  const closed = await openHouse(t, { connect: () => connect({ host: '127.0.0.1', port: 1 }) })
  assert.match(await exchange(closed, CONNECT), / 502 .*example\.com:443: the connection failed/s)
  assert.deepEqual(closed.outcomes, ['failed'])
  assert.equal(closed.lines[0]?.code, 'ECONNREFUSED')
  const bounds = { connect: 100 }
  const silent = await openHouse(t, { bounds, connect: () => new Socket() })
  assert.match(await exchange(silent, CONNECT), / 504 .*no connection was made in time/s)
  const lost = await openHouse(t, { bounds, lookup: () => new Promise(() => {}) })
  assert.match(await exchange(lost, CONNECT), / 504 /)
  assert.deepEqual([...silent.outcomes, ...lost.outcomes], ['timeout', 'timeout'])
})

test('a tool that leaves before it is connected takes its attempt along', async (t) => {
  const begun: Socket[] = []
  const connect = () => {
    const socket = new Socket()
    begun.push(socket)
    return socket
  }
  const house = await openHouse(t, { connect })
  const tool = house.enter()
  tool.write('GET http://example.com/ HTTP/1.1\r\nHost: example.com\r\n\r\n')
  const attempt = await until('it is tried', () => begun[0])
  tool.destroy()
  await until('the attempt is given up', () => attempt.destroyed)
  assert.deepEqual(house.outcomes, [])
})

test('what does not move is closed', async (t) => {
  const far = await listen(
    t,
    createServer(() => {}),
  )
  const house = await openHouse(t, { far, bounds: { idle: 200 } })
  const tool = await tunnelOf(house)
  tool.resume()
  await within(5_000, 'the idle tunnel is closed', once(tool, 'end'))
  await until('the far side too', () => connections(far).then((open) => open === 0))
})

test('past the bound a tool gets no more connections until one is closed', async (t) => {
  const far = await listen(
    t,
    createServer((socket) => socket.pipe(socket)),
  )
  const house = await openHouse(t, { far, bounds: { connections: 2 } })
  const [first] = [await tunnelOf(house), await tunnelOf(house)]
  assert.equal(await exchange(house, CONNECT), '')
  assert.deepEqual(house.outcomes, ['ok', 'ok', 'busy'])
  first.destroy()
  await until('there is room', async () => (await exchange(house, CONNECT)) !== '')
})

test('garbage of one connection is not felt in another', async (t) => {
  const far = await listen(
    t,
    createServer((socket) => socket.pipe(socket)),
  )
  const house = await openHouse(t, { far })
  const tool = await tunnelOf(house)
  const garbage = [
    '\0\0\0\0',
    'CONNECT',
    '\r\n\r\n\r\n',
    'GET http://',
    `${'x: y\r\n'.repeat(9000)}`,
  ]
  for (const sent of garbage) {
    house.enter().write(sent)
    await text(house.enter().end(sent))
  }
  tool.write('still here')
  assert.equal(String((await once(tool, 'data'))[0]), 'still here')
})

test('after the close no socket and no file is left, whatever was going on', async (t) => {
  const far = await listen(
    t,
    createServer(() => {}),
  )
  let attempts = 0
  const house = await openHouse(t, {
    far,
    lookup: (host) =>
      host === 'silent.example' ? new Promise(() => {}) : Promise.resolve([PUBLIC]),
  })
  const hanging = await openHouse(t, {
    connect: () => {
      attempts += 1
      return new Socket()
    },
  })
  const open = [await tunnelOf(house), house.enter(), house.enter(), hanging.enter()]
  const closed = open.map((socket) => once(socket.resume(), 'end'))
  open[1]?.write('CONNECT example')
  open[2]?.write(CONNECT.replace('example.com', 'silent.example'))
  open[3]?.write(CONNECT)
  await until('all is on its way', () => house.asked.includes('silent.example') && attempts === 1)
  await within(5_000, 'both are closed', Promise.all([house.proxy.close(), hanging.proxy.close()]))
  await within(5_000, 'every tool is told', Promise.all(closed))
  await until('the far side is told', () => connections(far).then((left) => left === 0))
  assert.deepEqual(await readdir(dirname(house.path)), [])
})

test('over TCP only the peers of its network are served', async (t) => {
  const outcomes: string[] = []
  for (const [from, expected] of [
    ['127.0.0.0/8', / 403 /],
    ['172.20.0.0/16', /^$/],
  ] as const) {
    const proxy = new EgressProxy({
      tool: 'boxed',
      network: 'egress',
      log: recorder([]),
      meters: { egress: (_, outcome) => outcomes.push(outcome) },
      ownPorts: () => [],
    })
    const port = await proxy.listen({ host: '127.0.0.1', from })
    t.after(() => proxy.close())
    const socket = connect({ host: '127.0.0.1', port: port ?? 0 }).on('error', () => {})
    socket.write(CONNECT.replace('example.com', '127.0.0.1'))
    assert.match(await text(socket).catch(() => ''), expected)
  }
  assert.deepEqual(outcomes, ['not_public', 'stranger'])
})

async function tunnelOf(house: House): Promise<Socket> {
  const tool = house.enter()
  tool.write(CONNECT)
  const established = Buffer.from('HTTP/1.1 200 Connection Established\r\n\r\n')
  let got = Buffer.alloc(0)
  while (got.length < established.length) {
    await once(tool, 'readable')
    got = Buffer.concat([got, tool.read(established.length - got.length) ?? tool.read() ?? ''])
  }
  assert.deepEqual(got, established)
  return tool
}

function connections(server: ReturnType<typeof createServer>): Promise<number> {
  return new Promise((resolve) => server.getConnections((_, count) => resolve(count)))
}
