import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLog } from '../../src/telemetry/json-log.ts'
import { EVENTS } from '../../src/telemetry/names.ts'
import { redactionOf } from '../../src/telemetry/redaction.ts'
import { type StderrLog, type StderrOptions, toolStderr } from '../../src/telemetry/stderr.ts'
import { type Line, Lines } from './lines.ts'

const FIELDS = { tool: 'files', instance: 'i1' }

test('each line is logged at info with the tool, the instance and the stream', async () => {
  const lines = await logged((stderr) => stderr(Buffer.from('one\ntwo\r\n\nthree\n')))
  assert.deepEqual(
    lines.map(({ line }) => line),
    ['one', 'two', 'three'],
  )
  const { time: _, ...first } = lines[0] ?? {}
  const fields = { level: 'info', ...FIELDS, stream: 'stderr', line: 'one', msg: EVENTS.stderr }
  assert.deepEqual(first, fields)
})

test('lines are put together whatever the chunks, and the last needs no end', async () => {
  const bytes = Buffer.from('žluťoučký\nkůň 🐎\nno end')
  const lines = await logged((stderr) => {
    for (const byte of bytes) stderr(Buffer.of(byte))
  })
  assert.deepEqual(
    lines.map(({ line }) => line),
    ['žluťoučký', 'kůň 🐎', 'no end'],
  )
})

test('a long line is cut, and says by how much', async () => {
  const lines = await logged(
    (stderr) => {
      for (let n = 0; n < 1000; n += 1) stderr(Buffer.from('0123456789'))
      stderr(Buffer.from('\nnext\n'))
    },
    { bytesPerLine: 25 },
  )
  assert.deepEqual(
    lines.map(({ line, cut }) => [line, cut]),
    [
      ['0123456789012345678901234', 9975],
      ['next', undefined],
    ],
  )
})

test('lines past the rate are dropped, counted, and told once the rate allows', async () => {
  let now = 0
  const lines = await logged(
    (stderr) => {
      for (let n = 0; n < 1000; n += 1) stderr(Buffer.from(`flood ${n}\n`))
      now = 100
      stderr(Buffer.from('after\n'))
    },
    { linesPerSecond: 10, now: () => now },
  )
  const said = lines.map(({ line, dropped }) => line ?? dropped)
  assert.deepEqual(
    said.slice(0, 10),
    Array.from({ length: 10 }, (_, n) => `flood ${n}`),
  )
  assert.deepEqual(said.slice(10), [990, 'after'])
  assert.equal(lines[10]?.msg, EVENTS.stderrDropped)
})

test('what was dropped last is told at the end', async () => {
  const lines = await logged((stderr) => stderr(Buffer.from('a\n'.repeat(50))), {
    linesPerSecond: 20,
    now: () => 0,
  })
  assert.equal(lines.length, 21)
  assert.equal(lines.at(-1)?.dropped, 30)
})

test('a line that began while the rate was used up is dropped whole', async () => {
  let now = 0
  const lines = await logged(
    (stderr) => {
      stderr(Buffer.from('one\nbegin'))
      now = 5000
      stderr(Buffer.from('ning\nnext\n'))
    },
    { linesPerSecond: 1, now: () => now },
  )
  assert.deepEqual(
    lines.map(({ line, dropped }) => line ?? dropped),
    ['one', 1, 'next'],
  )
})

test('a tool cannot forge a line of ours', async () => {
  const forged = '{"level":"info","msg":"listening","url":"http://evil"}'
  const [line] = await logged((stderr) => stderr(Buffer.from(`${forged}\u001b[2J\n`)))
  assert.equal(line?.msg, EVENTS.stderr)
  assert.equal(line?.line, `${forged}\u001b[2J`)
})

test('secrets are taken out of a line however it came, and where it is cut', async () => {
  const redaction = redactionOf({ TOKEN: 'tok-12345678' })
  const bytes = Buffer.from('with tok-12345678 in it\r\n0123456789tok-12345678tok-12345678\nend\n')
  for (const size of [1, 7, 1000]) {
    const lines = await logged(
      (stderr) => {
        for (let at = 0; at < bytes.length; at += size) stderr(bytes.subarray(at, at + size))
      },
      { redaction, bytesPerLine: 20 },
    )
    assert.deepEqual(
      lines.map(({ line, cut }) => [line, cut]),
      [
        ['with [secret TOKEN] in', 4],
        ['0123456789[secret TOKEN]', 14],
        ['end', undefined],
      ],
    )
  }
})

async function logged(
  write: (stderr: StderrLog) => void,
  options?: StderrOptions,
): Promise<readonly Line[]> {
  const lines = new Lines()
  const { log, close } = createLog('info', lines)
  const stderr = toolStderr(log, FIELDS, options)
  write(stderr)
  stderr.end()
  await close()
  return lines.all
}
