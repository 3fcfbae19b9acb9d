import assert from 'node:assert/strict'
import { test } from 'node:test'
import { redactionOf } from '../../src/telemetry/redaction.ts'

test('every value is replaced by its name, everything else stays as it is', () => {
  const say = redact({ TOKEN: 'tok-12345678', OTHER: 'žluťoučký' })
  assert.equal(
    say('a tok-12345678 b tok-12345678žluťoučký 🐎'),
    'a [secret TOKEN] b [secret TOKEN][secret OTHER] 🐎',
  )
  assert.equal(say('tok-1234567'), 'tok-1234567')
})

test('values are found as they are, whatever they mean in a pattern', () => {
  for (const value of ['.*.*.*.*', '(a|b)+[^c]', '\\d{8}$^?', '{{{{{{{{', 'a/b-c?d=e&f']) {
    assert.equal(redact({ A: value })(`<${value}> abcdefgh`), '<[secret A]> abcdefgh')
  }
})

test('values of fewer than 8 characters are no use to look for', () => {
  assert.equal(redact({ A: '1234567', B: '' })('1234567'), '1234567')
  assert.equal(redact({ A: '12345678' })('12345678'), '[secret A]')
})

test('a secret that holds another is replaced whole', () => {
  const say = redact({ PASSWORD: 'hunter2hunter2', URL: 'pg://me:hunter2hunter2@db' })
  assert.equal(say('pg://me:hunter2hunter2@db'), '[secret URL]')
  assert.equal(say('hunter2hunter2@db'), '[secret PASSWORD]@db')
})

test('a value is found as JSON and as URLs have it', () => {
  const value = 'a "quoted" \\ välue'
  const say = redact({ A: value })
  assert.equal(say(JSON.stringify({ value })), '{"value":"[secret A]"}')
  assert.equal(say(`?q=${encodeURIComponent(value)}&r`), '?q=[secret A]&r')
})

test('each line of a value is found by itself, and the whole of it as JSON', () => {
  const key = `-----BEGIN KEY-----\n${'MIIE'.repeat(16)}\r\n  ${'abcd'.repeat(4)}\nzz==\n-----END KEY-----`
  const say = redact({ KEY: key })
  for (const line of key.split(/\r?\n/).filter((line) => line.length >= 8))
    assert.equal(say(`: ${line.trim()}!`), ': [secret KEY]!')
  assert.equal(say(JSON.stringify({ key })), '{"key":"[secret KEY]"}')
})

test('a limit cuts no secret in two: neither one that begins before it nor one moved below it', () => {
  const value = 'secret-secret-🐎'
  const { reach, text } = redactionOf({ A: value })
  for (let before = 0; before <= 40; before += 1) {
    const line = Buffer.from(`${'.'.repeat(before)}${value}${value}${value}`)
    for (let limit = 1; limit <= line.length; limit += 1) {
      const said = text(line.subarray(0, limit + reach), limit)
      assert.match(said, /^\.*(?:\[secret A\])*$/, `${before} ${limit}`)
    }
  }
})

test('a line is cut at its limit in bytes', () => {
  const { text } = redactionOf({ A: 'tok-12345678' })
  assert.equal(text(Buffer.from('0123456789'), 4), '0123')
  assert.equal(text(Buffer.from('ab tok-12345678 ž'), 16), 'ab [secret A] ')
})

test('as much as a tool can be given is found too', () => {
  const lines = Array.from({ length: 2000 }, (_, n) => `line ${n} ${'"x'.repeat(12)}`)
  const values = Array.from({ length: 8 }, (_, n) => lines.join(`\n${n} `))
  const say = redact(Object.fromEntries(values.map((value, n) => [`KEY_${n}`, value])))
  assert.equal(say(`a 5 ${lines[1999]} b`), 'a [secret KEY_5] b')
  assert.equal(redact({ A: 'a'.repeat(65_536) })('a'.repeat(65_535)).length, 10_000)
})

test('what begins a secret and does not go on as one stays', () => {
  const say = redact({ A: 'aaaaaaaab', B: 'aaaaaaaa-aaaaaaaa' })
  assert.equal(say('aaaaaaaa'), 'aaaaaaaa')
  assert.equal(say('aaaaaaaaaaab'), 'aaa[secret A]')
  assert.equal(say('aaaaaaaa-aaaaaaaab'), '[secret B]b')
  assert.equal(say('aaaaaaaa-'), 'aaaaaaaa-')
})

function redact(secrets: Record<string, string>): (text: string) => string {
  const redaction = redactionOf(secrets)
  return (text) => redaction.text(Buffer.from(text), 10_000)
}
