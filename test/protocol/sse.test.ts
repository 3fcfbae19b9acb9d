import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeComment, encodeEvent, eventParts, SseReader } from '../../src/protocol/sse.ts'
import { chunked, seeded } from './random.ts'

function read(...chunks: (string | Buffer)[]): { event: string; data: string; id: string }[] {
  const reader = new SseReader()
  return chunks.flatMap((chunk) => reader.push(chunk))
}

test('an event is id, event, retry and data, each on its line', () => {
  const event = { id: 'é1', event: 'message', retry: 500, data: Buffer.from('{"a":"é"}') }
  const text = 'id: é1\nevent: message\nretry: 500\ndata: {"a":"é"}\n\n'
  assert.equal(String(encodeEvent(event)), text)
  assert.equal(String(encodeEvent({ ...event, data: '{"a":"é"}' })), text)
  assert.equal(Buffer.concat(eventParts(event)).toString(), text)
  assert.equal(eventParts(event)[1], event.data)
  assert.equal(String(encodeEvent({ data: '' })), 'data: \n\n')
})

test('data with line ends becomes several lines, and a field cannot end its line', () => {
  const text = 'data: a\ndata: b\ndata: c\ndata: \n\n'
  assert.equal(String(encodeEvent({ data: 'a\nb\r\nc\r' })), text)
  assert.equal(String(encodeEvent({ data: Buffer.from('a\nb\r\nc\r') })), text)
  assert.equal(String(encodeEvent({ id: 'a\nevent: x', data: '' })), 'id: a event: x\ndata: \n\n')
  assert.equal(String(encodeComment('still\nhere')), ': still\n: here\n\n')
})

test('an encoded event shares no memory with its data', () => {
  const data = Buffer.from('a')
  const event = encodeEvent({ data })
  data[0] = 0x62
  assert.equal(String(event), 'data: a\n\n')
})

test('a stream is read with every line end, comments, and fields without a space', () => {
  const expected = [
    { event: 'message', data: 'one\ntwo', id: '' },
    { event: 'endpoint', data: ' /x', id: '7' },
    { event: 'message', data: '', id: '7' },
  ]
  for (const end of ['\n', '\r', '\r\n']) {
    const stream = [
      '\uFEFF: hello',
      'data: one',
      'data:two',
      'unknown: x',
      '',
      '',
      'event: endpoint',
      'id:7',
      'data:  /x',
      '',
      'event: nothing',
      '',
      'data',
      '',
      'data: without an end',
    ].join(end)
    assert.deepEqual(read(stream), expected)
    assert.deepEqual(
      read(
        ...Buffer.from(stream)
          .toString('latin1')
          .split('')
          .map((byte) => Buffer.from(byte, 'latin1')),
      ),
      expected,
    )
  }
})

test('id and retry outlive their event; a bad one is passed over', () => {
  const reader = new SseReader()
  assert.deepEqual(reader.push('id: 1\nretry: 250\n\n'), [])
  assert.equal(reader.lastEventId, '1')
  assert.equal(reader.retry, 250)
  reader.push('id: a\0b\nretry: 1s\n\n')
  assert.equal(reader.lastEventId, '1')
  assert.equal(reader.retry, 250)
  reader.push('id\n\n')
  assert.equal(reader.lastEventId, '')
})

test('what is encoded is read back whatever the chunking', () => {
  const random = seeded(4)
  const words = ['a', 'é', '漢字', '😀', '\n', ':', ' ', 'data: ', '\uFEFF']
  for (let round = 0; round < 60; round++) {
    const events = Array.from({ length: 5 }, (_, index) => ({
      id: String(index),
      event: random() < 0.5 ? 'message' : 'other',
      data: Array.from({ length: Math.floor(random() * 6) }, () => {
        return words[Math.floor(random() * words.length)]
      }).join(''),
    }))
    const stream = Buffer.concat(
      events.flatMap((event) => [encodeComment('x'), encodeEvent(event)]),
    )
    const chunks = chunked(stream, random, [1, 4, 60][round % 3] as number)
    assert.deepEqual(read(...chunks), events, `round ${round}`)
  }
})

test('a long line in many chunks is searched once', (t) => {
  let searched = 0
  const { indexOf } = String.prototype
  t.mock.method(String.prototype, 'indexOf', function (this: string, text: string, from = 0) {
    searched += this.length - from
    return indexOf.call(this, text, from)
  })
  const reader = new SseReader()
  reader.push('data: ')
  for (let i = 0; i < 1000; i++) reader.push('x'.repeat(100))
  const [event] = reader.push('\n\n')
  // For LF, for CR and, in the whole line, for the colon.
  assert.ok(searched <= 3 * 100_008, `${searched} characters searched`)
  assert.equal(event?.data.length, 100_000)
})

test('an event over the limit throws', () => {
  const reader = new SseReader({ limit: 20 })
  reader.push('data: 0123456789\n')
  assert.throws(() => reader.push('data: 0123456789\n'), RangeError)
  const endless = new SseReader({ limit: 20 })
  endless.push('data: 0123456789')
  assert.throws(() => endless.push('0123456789'), RangeError)
  const many = new SseReader({ limit: 20 })
  for (let i = 0; i < 10; i++) assert.equal(many.push('data: 0123456789\n\n').length, 1)
})
