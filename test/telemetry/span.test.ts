import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SPANS } from '../../src/telemetry/names.ts'
import { type FinishedSpan, startSpan } from '../../src/telemetry/span.ts'
import { parseTraceparent, randomHex } from '../../src/telemetry/trace-context.ts'

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const PARENT = '00f067aa0ba902b7'

test('a valid parent is continued with a new span id and its sampled flag', () => {
  for (const flags of ['00', '01']) {
    const { traceId, traceparent } = startSpan(null, SPANS.call, `00-${TRACE}-${PARENT}-${flags}`)
    assert.equal(traceId, TRACE)
    assert.match(traceparent, new RegExp(`^00-${TRACE}-[0-9a-f]{16}-${flags}$`))
    assert.ok(!traceparent.includes(PARENT))
  }
})

test('a later version is read as far as it is known', () => {
  const { traceparent } = startSpan(null, SPANS.call, `cc-${TRACE}-${PARENT}-03-what-ever`)
  assert.match(traceparent, new RegExp(`^00-${TRACE}-[0-9a-f]{16}-01$`))
})

test('a malformed parent begins a new trace', () => {
  const malformed = [
    '',
    'x',
    `ff-${TRACE}-${PARENT}-01`,
    `00-${TRACE.toUpperCase()}-${PARENT}-01`,
    `00-${'0'.repeat(32)}-${PARENT}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `00-${TRACE}-${PARENT}-01-more`,
    `00-${TRACE}-${PARENT}-0`,
    `00-${TRACE}-${PARENT}-01 `,
    `00-${TRACE}-${PARENT}-01\n`,
    `cc-${TRACE}-${PARENT}-01.more`,
    `cc-${TRACE}-${PARENT}-01-${'x'.repeat(1000)}`,
    `00-${TRACE}-${PARENT}-01,00-${TRACE}-${PARENT}-01`,
  ]
  for (const parent of malformed) {
    const span = startSpan(null, SPANS.call, parent)
    assert.notEqual(span.traceId, TRACE, parent)
    assert.ok(parseTraceparent(span.traceparent), parent)
  }
})

test('where nothing is exported, a new trace is not sampled', () => {
  assert.match(startSpan(null, SPANS.call).traceparent, /-00$/)
})

test('ids do not repeat', () => {
  const ids = new Set(Array.from({ length: 10_000 }, () => randomHex(8)))
  assert.equal(ids.size, 10_000)
  for (const id of ids) assert.match(id, /^[0-9a-f]{16}$/)
})

test('a sampled span is handed over once, when it ends', () => {
  const spans: FinishedSpan[] = []
  const sink = { sample: 1, push: (span: FinishedSpan) => void spans.push(span) }
  const span = startSpan(sink, SPANS.call, `00-${TRACE}-${PARENT}-01`, { tool: 'clock' })
  span.set('toolgate.outcome', 'ok')
  assert.equal(spans.length, 0)
  span.end()
  span.end(new Error('late'))
  assert.equal(spans.length, 1)
  const [{ start, end, spanId, ...rest } = assert.fail()] = spans
  assert.equal(span.traceparent, `00-${TRACE}-${spanId}-01`)
  assert.ok(end >= start && Math.abs(start - Date.now()) < 60_000)
  const attributes = { tool: 'clock', 'toolgate.outcome': 'ok' }
  assert.deepEqual(rest, { name: SPANS.call, traceId: TRACE, parentId: PARENT, attributes })
})

test('whoever began the trace decides whether it is sampled', () => {
  const spans: FinishedSpan[] = []
  const push = (span: FinishedSpan) => void spans.push(span)
  startSpan({ sample: 1, push }, SPANS.call, `00-${TRACE}-${PARENT}-00`).end()
  assert.equal(spans.length, 0)
  startSpan({ sample: 0, push }, SPANS.call, `00-${TRACE}-${PARENT}-01`).end()
  assert.equal(spans.length, 1)
})

test('new traces are sampled by their share, children as their parent', () => {
  const spans: FinishedSpan[] = []
  const push = (span: FinishedSpan) => void spans.push(span)
  for (const [sample, least, most] of [
    [0, 0, 0],
    [0.25, 350, 650],
    [1, 2000, 2000],
  ] as const) {
    spans.length = 0
    for (let n = 0; n < 2000; n += 1) {
      const root = startSpan({ sample, push }, SPANS.request)
      const child = startSpan({ sample, push }, SPANS.call, root.traceparent)
      assert.equal(root.traceparent.slice(-2), child.traceparent.slice(-2))
      root.end()
    }
    assert.ok(spans.length >= least && spans.length <= most, `${sample}: ${spans.length}`)
  }
})
