import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LineReader } from '../../src/protocol/line-codec.ts'
import { chunked, seeded } from './random.ts'

function read(chunks: Iterable<Buffer>, limit = 1 << 24): { lines: string[]; tooLong: number[] } {
  const lines: string[] = []
  const tooLong: number[] = []
  const reader = new LineReader({
    limit,
    onLine: (line) => lines.push(line.toString()),
    onTooLong: (length) => tooLong.push(length),
  })
  for (const chunk of chunks) reader.push(chunk)
  reader.end()
  return { lines, tooLong }
}

function never(): void {
  assert.fail()
}

test('lines end with LF or CRLF, empty ones are skipped, the last needs no end', () => {
  const { lines } = read([Buffer.from('a\nb\r\n\n\r\n c \r\r\n'), Buffer.from('d')])
  assert.deepEqual(lines, ['a', 'b', ' c \r', 'd'])
})

test('an end without a line delivers nothing, and the reader can go on', () => {
  const lines: string[] = []
  const options = { limit: 9, onLine: (line: Buffer) => lines.push(`${line}`), onTooLong() {} }
  const reader = new LineReader(options)
  reader.end()
  reader.push(Buffer.from('a'))
  reader.end()
  reader.push(Buffer.from('b\n'))
  reader.end()
  assert.deepEqual(lines, ['a', 'b'])
})

test('the same lines come out whatever the chunking, in UTF-8 and with every line end', () => {
  const random = seeded(1)
  const words = ['a', 'é', '漢字', '😀', '{"x":"\\n"}', '\r', ' ', 'longer '.repeat(900)]
  for (let round = 0; round < 60; round++) {
    const lines = Array.from({ length: 1 + Math.floor(random() * 12) }, () =>
      Array.from({ length: Math.floor(random() * 5) }, () => {
        return words[Math.floor(random() * words.length)]
      }).join(''),
    )
    const ended = lines.map((line) => line + (random() < 0.5 ? '\n' : '\r\n'))
    const expected = ended.map((line) => line.replace(/\r?\n$/, '')).filter((line) => line !== '')
    const longest = [1, 3, 50, 5000][round % 4] as number
    const input = Buffer.from(ended.join(''))
    assert.deepEqual(read(chunked(input, random, longest)).lines, expected, `round ${round}`)
  }
})

test('a line of one chunk is a view of it, not a copy', () => {
  const chunk = Buffer.from('one\ntwo\n')
  const reader = new LineReader({
    limit: 10,
    onLine: (line) => assert.equal(line.buffer, chunk.buffer),
    onTooLong: never,
  })
  reader.push(chunk)
})

test('a line over the limit is told once, dropped, and the next ones go on', () => {
  const long = 'x'.repeat(11)
  assert.deepEqual(read([Buffer.from(`${long}\nnext\n`)], 10), { lines: ['next'], tooLong: [11] })
  const bytes = Buffer.from(`before\n${long.repeat(5)}\nnext\n${'y'.repeat(10)}\n${long}`)
  const parts = chunked(bytes, seeded(2), 4)
  const { lines, tooLong } = read(parts, 10)
  assert.deepEqual(lines, ['before', 'next', 'y'.repeat(10)])
  assert.equal(tooLong.length, 2)
  for (const length of tooLong) assert.ok(length > 10 && length <= 14)
})

test('an endless line holds no more memory than the limit', (t) => {
  const joined = t.mock.method(Buffer, 'concat')
  const chunk = Buffer.alloc(65_536, 'x')
  let told = 0
  const reader = new LineReader({ limit: 100_000, onLine: never, onTooLong: () => told++ })
  for (let i = 0; i < 1000; i++) reader.push(chunk)
  assert.equal(told, 1)
  assert.equal(joined.mock.callCount(), 0)
})

test('the work is linear in the input: each byte is searched once and copied at most twice', (t) => {
  let searched = 0
  let copied = 0
  const { indexOf, copy } = Buffer.prototype
  const { concat } = Buffer
  t.mock.method(Buffer.prototype, 'indexOf', function (this: Buffer, value: number, from = 0) {
    const at = indexOf.call(this, value, from)
    searched += (at === -1 ? this.length : at + 1) - from
    return at
  })
  t.mock.method(Buffer.prototype, 'copy', function (this: Buffer, target: Uint8Array, at = 0) {
    copied += this.length
    return copy.call(this, target, at)
  })
  t.mock.method(Buffer, 'concat', (list: Buffer[], length: number) => {
    copied += length
    return concat(list, length)
  })
  const size = 200_000
  for (const step of [1, 7, 1000, 3000, 65_536]) {
    searched = copied = 0
    const line = Buffer.alloc(size, 'x')
    const reader = new LineReader({ limit: size, onLine() {}, onTooLong: never })
    for (let at = 0; at < size; at += step) reader.push(line.subarray(at, at + step))
    reader.push(Buffer.from('\n'))
    assert.equal(searched, size + 1)
    assert.ok(copied <= 2 * size, `${copied} bytes copied in steps of ${step}`)
  }
})

test('a line that comes byte by byte is not kept as a Buffer a byte', (t) => {
  const joined = t.mock.method(Buffer, 'concat')
  read(Array.from({ length: 100_000 }, () => Buffer.from('x')))
  const [pieces] = joined.mock.calls.at(-1)?.arguments ?? []
  assert.ok(pieces !== undefined && pieces.length < 10)
})
