import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { startInline } from './inline-child.ts'

test('the clock tells the time, and knows its zones', async (t) => {
  const clock = await startInline(t, readFileSync('tools.d/clock.ts', 'utf8'))
  const call = async (name: string, args: object) =>
    (await clock.ask('tools/call', { name, arguments: args })).result
  const now = (await call('now', {}))?.structuredContent
  assert.match(JSON.stringify(now), /^\{"time":"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d","zone":"UTC"\}$/)
  const moment = '2026-03-29T02:30:00+01:00'
  const there = await call('convert', { moment, zone: 'Europe/Paris' })
  assert.deepEqual(there?.structuredContent, { time: '2026-03-29 03:30:00', zone: 'Europe/Paris' })
  const wrong = await call('now', { zone: 'Europe/Pari' })
  assert.match(JSON.stringify(wrong), /not a known time zone at zone/)
})
