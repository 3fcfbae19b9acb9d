import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, request } from 'node:http'
import { createServer as createRawServer, type Socket } from 'node:net'
import { json, text } from 'node:stream/consumers'
import { test } from 'node:test'
import { until } from '../../harness/until.ts'
import { exchange, type House, listen, openHouse, PUBLIC } from './house.ts'

test('a plain request goes on as it came, without what was for the proxy', async (t) => {
  const far = createServer(async (incoming, response) => {
    const { method, url, headers } = incoming
    response.setHeader('Set-Cookie', ['a=1', 'b=2'])
    response.setHeader('Proxy-Authenticate', 'none of yours')
    response.statusCode = 201
    response.statusMessage = 'Made Up'
    response.end(JSON.stringify({ method, url, headers, body: await text(incoming) }))
  })
  const house = await openHouse(t, { far: await listen(t, far) })
  const answer = await ask(house, 'http://Example.com:81/a/../b?q=%2e#', {
    method: 'PUT',
    headers: {
      Host: 'other.example',
      Connection: 'keep-alive, X-Hop',
      'X-Hop': '1',
      'Proxy-Authorization': 'Basic secret',
      'Proxy-Connection': 'keep-alive',
      TE: 'trailers',
      'X-Kept': 'yes',
      'Content-Length': 4,
    },
    body: 'body',
  })
  assert.deepEqual([answer.statusCode, answer.statusMessage], [201, 'Made Up'])
  assert.deepEqual(answer.headers['set-cookie'], ['a=1', 'b=2'])
  assert.equal(answer.headers['proxy-authenticate'], undefined)
  assert.deepEqual(await json(answer), {
    method: 'PUT',
    url: '/a/../b?q=%2e',
    headers: {
      host: 'example.com:81',
      connection: 'close',
      'x-kept': 'yes',
      'content-length': '4',
    },
    body: 'body',
  })
  assert.deepEqual([house.outcomes, house.dialled], [['ok'], [`${PUBLIC} 81`]])
})

test('a body without a length is framed anew, also of a method that rarely has one', async (t) => {
  const far = createServer(async (incoming, response) => {
    response.end(`${incoming.headers['transfer-encoding']} ${await text(incoming)}`)
  })
  const house = await openHouse(t, { far: await listen(t, far) })
  for (const method of ['GET', 'DELETE', 'POST']) {
    const headers = { 'Transfer-Encoding': 'chunked' }
    const answer = await ask(house, 'http://example.com/', { method, headers, body: 'inside' })
    assert.equal(await text(answer), 'chunked inside')
  }
})

test('no request hides in another one', async (t) => {
  const heads: string[] = []
  const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
  const far = await listen(
    t,
    createRawServer((socket) => {
      let got = ''
      socket.setEncoding('latin1').on('data', (chunk) => {
        got += chunk
        if (got.includes('\r\n\r\n')) socket.end(ok)
      })
      socket.on('close', () => heads.push(got))
    }),
  )
  const house = await openHouse(t, { far })
  const inner = 'GET /inner HTTP/1.1\r\nHost: example.com\r\n\r\n'
  const both = `Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${inner}`
  const start = 'POST http://example.com/outer HTTP/1.1\r\nHost: example.com\r\n'
  assert.match(await exchange(house, start + both), /^HTTP\/1\.1 400 /)
  const coded = `Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n${inner}`
  assert.match(await exchange(house, start + coded), /^HTTP\/1\.1 400 /)
  const twice = `Content-Length: 0\r\nContent-Length: ${inner.length}\r\n\r\n${inner}`
  assert.match(await exchange(house, start + twice), /^HTTP\/1\.1 400 /)
  assert.deepEqual(house.dialled, [])
  // A length that is said to be for one connection frames the body all the same.
  const named = `Connection: Content-Length\r\nContent-Length: ${inner.length}\r\n\r\n${inner}`
  assert.match(await exchange(house, start + named), /^HTTP\/1\.1 200 /)
  // A second request on the connection is not served: each has one of its own.
  const second =
    'Content-Length: 0\r\n\r\nGET http://example.com/second HTTP/1.1\r\nHost: a\r\n\r\n'
  await exchange(house, start + second)
  await until('both have ended', () => heads.length === 2)
  assert.equal(house.dialled.length, 2)
  const requests = heads.map((head) => head.match(/^[A-Z]+ \S+ HTTP/gm))
  assert.ok(requests.every((lines) => lines?.[0] === 'POST /outer HTTP'))
  assert.match(heads.find((head) => head.includes('/inner')) ?? '', /content-length: 42\r\n/i)
})

test('an answer is passed on as it comes', async (t) => {
  const answers: { write(text: string): unknown; end(): unknown }[] = []
  const far = createServer((_, response) => {
    response.write('one')
    answers.push(response)
  })
  const house = await openHouse(t, { far: await listen(t, far) })
  const answer = await ask(house, 'http://example.com/')
  answer.setEncoding('utf8')
  assert.deepEqual(await once(answer, 'data'), ['one'])
  answers[0]?.write('two')
  assert.deepEqual(await once(answer, 'data'), ['two'])
  answers[0]?.end()
  await once(answer, 'end')
})

test('an answer without a body has none', async (t) => {
  const far = createServer((incoming, response) => {
    response.writeHead(incoming.method === 'HEAD' ? 200 : 304, { 'Content-Length': 100 }).end()
  })
  const house = await openHouse(t, { far: await listen(t, far) })
  for (const method of ['HEAD', 'GET']) {
    const answer = await ask(house, 'http://example.com/', { method })
    assert.equal(answer.headers['content-length'], '100')
    assert.equal(await text(answer), '')
  }
})

test('an answer that breaks off is not made to look whole', async (t) => {
  const far = await listen(t, createRawServer(breaksOff))
  const house = await openHouse(t, { far })
  const answer = await ask(house, 'http://example.com/')
  await assert.rejects(text(answer), { code: 'ECONNRESET' })
})

test('what is no answer is answered 502', async (t) => {
  for (const sent of [
    'garbage\r\n\r\n',
    '',
    'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n',
    `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(40_000)}\r\n\r\n`,
    'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab',
  ]) {
    const far = createRawServer((socket) => socket.once('data', () => socket.end(sent)))
    const house = await openHouse(t, { far: await listen(t, far) })
    const answer = await ask(house, 'http://example.com/')
    assert.equal(answer.statusCode, 502, sent.slice(0, 60))
    assert.match(await text(answer), /example\.com:80: the connection failed/)
    assert.deepEqual(house.outcomes, ['failed'])
  }
})

test('a path that cannot be sent on is refused', async (t) => {
  const far = await listen(t, createServer())
  const house = await openHouse(t, { far })
  const answer = await exchange(
    house,
    'GET http://example.com/\xe9\x01 HTTP/1.1\r\nHost: a\r\n\r\n',
  )
  assert.match(answer, /^HTTP\/1\.1 400 /)
})

test('a tool that leaves takes its request along, and a server its connection', async (t) => {
  const inside: IncomingMessage[] = []
  const far = createServer((incoming) => inside.push(incoming))
  const house = await openHouse(t, { far: await listen(t, far) })
  const tool = house.enter()
  tool.write('POST http://example.com/ HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf')
  const incoming = await until('it arrived', () => inside[0])
  tool.destroy()
  await until('the far side is told', () => incoming.socket.destroyed)
})

function breaksOff(socket: Socket): void {
  socket.once('data', () => {
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf', () =>
      socket.resetAndDestroy(),
    )
  })
}

interface Asked {
  readonly method?: string
  readonly headers?: Record<string, string | number>
  readonly body?: string
}

async function ask(house: House, url: string, asked: Asked = {}): Promise<IncomingMessage> {
  const { method = 'GET', headers = { Host: 'example.com' }, body } = asked
  const path = url.replace(/#$/, '')
  const going = request({ createConnection: () => house.enter(), method, path, headers })
  going.end(body)
  const [answer] = (await once(going, 'response')) as [IncomingMessage]
  return answer
}
