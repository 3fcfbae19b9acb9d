import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { test } from 'node:test'
import { Connection, type Reply } from '../../bench/load/connection.ts'

/** A server that answers each request with the next of the texts, cut into parts of `size` bytes. */
async function serve(texts: string[], size: number) {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.setNoDelay(true)
    socket.on('data', async () => {
      const bytes = Buffer.from(texts.shift() ?? '')
      for (let at = 0; at < bytes.length; at += size) {
        await new Promise((resolve) => socket.write(bytes.subarray(at, at + size), resolve))
      }
      if (bytes.length === 0) socket.destroy()
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const close = () => {
    for (const socket of sockets) socket.destroy()
    server.close()
  }
  return { url: `http://127.0.0.1:${port}`, close }
}

const textOf = ({ body }: Reply) => Buffer.concat(body).toString()

const SIZED = 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\nX-Name: a: b\r\n\r\nhé\r\n!'
const CHUNKED =
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhé\r\n2\r\n\r\n\r\nB\r\n0123456789!\r\n0\r\n\r\n'
const EMPTY = 'HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n'

for (const size of [1, 2, 7, 1_000]) {
  test(`responses on one connection are read whole in parts of ${size} bytes`, async () => {
    const server = await serve([SIZED, CHUNKED, EMPTY, CHUNKED], size)
    const connection = new Connection(server.url)
    const ask = () => connection.request('POST', '/', {}, '{}')
    try {
      const sized = await ask()
      assert.equal(textOf(sized), 'hé\r\n!')
      assert.equal(sized.headers.get('x-name'), 'a: b')
      assert.equal(textOf(await ask()), 'hé\r\n0123456789!')
      assert.equal((await ask()).status, 202)
      assert.equal(textOf(await ask()), 'hé\r\n0123456789!')
    } finally {
      connection.destroy()
      server.close()
    }
  })
}

test('a connection that closes before the answer rejects', async () => {
  const server = await serve([], 1)
  const connection = new Connection(server.url)
  try {
    await assert.rejects(connection.request('GET', '/', {}, null), /closed before the answer/)
  } finally {
    connection.destroy()
    server.close()
  }
})
