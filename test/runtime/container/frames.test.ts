import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { streamsOf } from '../../../src/runtime/container/attach.ts'
import { FrameReader } from '../../../src/runtime/container/frames.ts'

test('frames are taken apart wherever the chunks are cut', () => {
  const bytes = Buffer.concat([frame(1, 'hello '), frame(2, 'oops'), frame(1, ''), frame(1, 'you')])
  for (let size = 1; size <= bytes.length; size += 1) {
    const seen = ['', '', '']
    const reader = new FrameReader((stream, chunk) => {
      seen[stream] += chunk.toString()
    })
    for (let at = 0; at < bytes.length; at += size) reader.push(bytes.subarray(at, at + size))
    assert.deepEqual(seen, ['', 'hello you', 'oops'])
  }
})

test('what has no frames is refused', () => {
  const reader = new FrameReader(() => assert.fail('nothing is to be read'))
  assert.throws(() => reader.push(Buffer.from('{"jsonrpc":"2.0"}')))
})

test('while one stream is not read, nothing is read for the other, and nothing is lost', async () => {
  const connection = new PassThrough({ highWaterMark: 1_024 })
  const { stdout, stderr } = streamsOf(connection, async () => {}, Promise.resolve())
  // Its reader wants more each time, as the log does.
  let said = 0
  stderr.on('data', (chunk: Buffer) => {
    said += chunk.length
  })
  const sent = 400
  for (let each = 0; each < sent; each += 1) {
    connection.write(frame(1, 'x'.repeat(1_000)))
    connection.write(frame(2, 'y'.repeat(10)))
  }
  await new Promise((resolve) => setTimeout(resolve, 50))
  assert.ok(stdout.readableLength <= 80_000, String(stdout.readableLength))
  assert.ok(connection.writableLength + connection.readableLength > 200_000)
  let read = 0
  connection.end()
  for await (const chunk of stdout) read += (chunk as Buffer).length
  assert.equal(read, sent * 1_000)
  assert.equal(said, sent * 10)
})

function frame(stream: number, text: string): Buffer {
  const header = Buffer.alloc(8)
  header[0] = stream
  header.writeUInt32BE(Buffer.byteLength(text), 4)
  return Buffer.concat([header, Buffer.from(text)])
}
