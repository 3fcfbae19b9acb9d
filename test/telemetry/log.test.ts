import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { Writable } from 'node:stream'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { createLog } from '../../src/telemetry/json-log.ts'
import { EVENTS } from '../../src/telemetry/names.ts'
import { LineOutput } from '../../src/telemetry/output.ts'
import { Lines } from './lines.ts'

test('a line is JSON with level as text, time in ISO 8601, the fields and msg', async () => {
  const lines = new Lines()
  const { log, close } = createLog('info', lines)
  log.warn({ tool: 'clock', duration: 1.5 }, 'slow')
  await close()
  const { time, ...rest } = lines.all[0] ?? {}
  assert.deepEqual(rest, { level: 'warn', tool: 'clock', duration: 1.5, msg: 'slow' })
  assert.match(String(time), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
})

test('lines below the level are left out', async () => {
  const lines = new Lines()
  const { log, close } = createLog('warn', lines)
  log.debug({}, 'a')
  log.info({}, 'b')
  log.error({}, 'c')
  await close()
  assert.deepEqual(
    lines.all.map(({ msg }) => msg),
    ['c'],
  )
})

test('a child carries its fields, and an error its cause', async () => {
  const lines = new Lines()
  const { log, close } = createLog('info', lines)
  const err = new Error('outer', { cause: new Error('inner') })
  log.child({ instance: 'i1' }).error({ err }, 'failed')
  await close()
  const [line] = lines.all
  assert.equal(line?.instance, 'i1')
  assert.match(JSON.stringify(line?.err), /outer: inner/)
})

test('values that JSON cannot write do not break the line', async () => {
  const lines = new Lines()
  const { log, close } = createLog('info', lines)
  const circle: Record<string, unknown> = { deep: 1n }
  circle.self = circle
  log.info({ circle, text: 'a\n"b"\u001b[31m\ud800' }, 'odd')
  await close()
  assert.equal(lines.all[0]?.msg, 'odd')
})

test('many lines leave in few writes, in order', async () => {
  let writes = 0
  const lines = new Lines()
  const counting = new Writable({
    write(chunk, encoding, done) {
      writes += 1
      lines.write(chunk, encoding, done)
    },
  })
  const { log, close } = createLog('info', counting)
  for (let n = 0; n < 100; n += 1) log.info({ n }, 'line')
  await close()
  assert.deepEqual(
    lines.all.map(({ n }) => n),
    Array.from({ length: 100 }, (_, n) => n),
  )
  assert.ok(writes <= 3, `${writes} writes`)
})

test('a reader that stops costs the lines past the bound, which are counted and told', async () => {
  const stuck = new Stuck()
  const output = new LineOutput(stuck, { limit: 1000, droppedLine: (n) => `dropped ${n}\n` })
  for (let n = 0; n < 500; n += 1) {
    output.write(`${'x'.repeat(99)}\n`)
    if (n === 5) await new Promise(setImmediate)
  }
  assert.ok(stuck.writableLength <= 1000, 'the stream was not filled')
  stuck.release()
  await output.close()
  const lines = stuck.text.split('\n').slice(0, -1)
  const dropped = Number(/^dropped (\d+)$/.exec(lines.at(-1) ?? '')?.[1])
  assert.ok(dropped > 400)
  assert.equal(lines.length - 1 + dropped, 500)
})

test('closing does not wait for a reader that never reads', async () => {
  const { log, close } = createLog('info', new Stuck())
  log.info({}, 'never read')
  const since = performance.now()
  await close()
  assert.ok(performance.now() - since < 5000)
})

test('a closed stream ends the log and nothing else', async () => {
  const broken = new Writable({ write: (_c, _e, done) => done(new Error('EPIPE')) })
  const { log, close } = createLog('info', broken)
  log.info({}, 'first')
  await once(broken, 'error')
  log.info({}, 'second')
  await close()
})

test('a process whose stdout is closed, or never read, goes on and can exit', async () => {
  for (const reader of ['closed', 'stopped']) {
    const child = spawn(process.execPath, [fileURLToPath(import.meta.resolve('./_logs-much.ts'))], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    if (reader === 'closed') child.stdout.destroy()
    let said = ''
    child.stderr.on('data', (chunk) => {
      said += chunk
    })
    const [code] = await once(child, 'close', { signal: AbortSignal.timeout(30_000) })
    assert.equal(code, 0, `${reader}: ${said}`)
    assert.equal(said, 'went on\n')
  }
})

test('what was logged just before the exit is written', async () => {
  const script = fileURLToPath(import.meta.resolve('./_logs-and-exits.ts'))
  const child = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  child.stdout.on('data', (chunk) => {
    text += chunk
  })
  await once(child, 'close')
  assert.equal(JSON.parse(text).msg, 'last words')
})

test('the line about dropped lines is JSON like the others', async () => {
  const stuck = new Stuck()
  const { log, close } = createLog('info', stuck)
  const text = 'x'.repeat(100_000)
  for (let n = 0; n < 100; n += 1) log.info({ text }, 'long')
  stuck.release()
  await close()
  const last = JSON.parse(stuck.text.split('\n').at(-2) ?? '')
  assert.deepEqual([last.level, last.msg], ['warn', EVENTS.logDropped])
  assert.ok(last.dropped > 50)
})

/** Takes nothing until it is released, then everything. */
class Stuck extends Writable {
  text = ''
  #held: (() => void) | undefined
  #released = false

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString()
    if (this.#released) done()
    else this.#held = done
  }

  release(): void {
    this.#released = true
    this.#held?.()
  }
}
