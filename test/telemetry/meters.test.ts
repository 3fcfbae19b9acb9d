import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createMeters } from '../../src/telemetry/meters.ts'
import { METRICS } from '../../src/telemetry/names.ts'
import { MOST, OTHER } from '../../src/telemetry/series.ts'
import type { Meters } from '../../src/telemetry/telemetry.ts'
import { parsePrometheus, type Sample } from './prometheus.ts'

test('a scrape has every metric of the table, before anything happened too', async () => {
  const families = parsePrometheus(await createMeters('1.2.3').scrape())
  assert.deepEqual(
    [...families].map(([name, { type, help }]) => ({ name, type, help })),
    Object.values(METRICS),
  )
})

test('a finished call is counted by tool, entrance and outcome', async () => {
  const meters = createMeters('0')
  meters.call('clock', 'rest', 'ok', 1)
  meters.call('clock', 'rest', 'ok', 1)
  meters.call('clock', 'rest', 'timeout', 1)
  meters.call('clock', 'streamable', 'ok', 1)
  assert.deepEqual(await samplesOf(meters, METRICS.requests.name), [
    [{ tool: 'clock', entrance: 'rest', outcome: 'ok' }, 2],
    [{ tool: 'clock', entrance: 'rest', outcome: 'timeout' }, 1],
    [{ tool: 'clock', entrance: 'streamable', outcome: 'ok' }, 1],
  ])
})

test('a listen is counted, and its length is no duration of a call', async () => {
  const meters = createMeters('0')
  meters.call('clock', 'modern', 'cancelled')
  const labels = { tool: 'clock', entrance: 'modern', outcome: 'cancelled' }
  assert.deepEqual(await samplesOf(meters, METRICS.requests.name), [[labels, 1]])
  assert.deepEqual(await samplesOf(meters, METRICS.duration.name), [])
})

test('durations fall into the bucket whose bound they do not pass', async () => {
  const meters = createMeters('0')
  for (const milliseconds of [0.5, 1, 1.1, 70_000]) meters.call('t', 'rest', 'ok', milliseconds)
  const { samples } = await familyOf(meters, METRICS.duration.name)
  const at = (le: string) => samples.find(({ labels }) => labels.le === le)?.value
  assert.deepEqual([at('0.0005'), at('0.001'), at('0.0025'), at('60'), at('+Inf')], [1, 2, 3, 3, 4])
  const sum = samples.find(({ name }) => name.endsWith('_sum'))?.value
  assert.ok(sum !== undefined && Math.abs(sum - 70.0026) < 1e-9)
})

test('refusals, routing errors, spawns and orphans move their own counters', async () => {
  const meters = createMeters('0')
  meters.rateLimited('files')
  meters.authFailed('wrong')
  meters.routingError('unknown_tool')
  meters.spawned('files', 'ok', 80)
  meters.spawned('files', 'failed', 30_000)
  meters.reaped('files')
  meters.reaped('')
  assert.deepEqual(await samplesOf(meters, METRICS.rateLimited.name), [[{ tool: 'files' }, 1]])
  assert.deepEqual(await samplesOf(meters, METRICS.authFailures.name), [[{ reason: 'wrong' }, 1]])
  assert.deepEqual(await samplesOf(meters, METRICS.routingErrors.name), [
    [{ reason: 'unknown_tool' }, 1],
  ])
  assert.deepEqual(await samplesOf(meters, METRICS.spawns.name), [
    [{ tool: 'files', outcome: 'ok' }, 1],
    [{ tool: 'files', outcome: 'failed' }, 1],
  ])
  assert.deepEqual(await samplesOf(meters, METRICS.reaped.name), [
    [{ tool: 'files' }, 1],
    [{ tool: '' }, 1],
  ])
  const { samples } = await familyOf(meters, METRICS.spawnDuration.name)
  assert.equal(samples.find(({ name }) => name.endsWith('_count'))?.value, 1)
})

test('what tools asked of the egress proxy is counted by tool and outcome', async () => {
  const meters = createMeters('0')
  meters.egress('files', 'ok')
  meters.egress('files', 'not_public')
  meters.egress('files', 'not_public')
  assert.deepEqual(await samplesOf(meters, METRICS.egress.name), [
    [{ tool: 'files', outcome: 'ok' }, 1],
    [{ tool: 'files', outcome: 'not_public' }, 2],
  ])
})

test('gauges are read when scraped; several sources of one are added up', async () => {
  const meters = createMeters('0')
  let sessions = 1
  meters.gauge('sessions', () => [['a', sessions]])
  meters.gauge('sessions', () => [['b', 10]])
  meters.gauge('instances', () => [
    ['a', 2],
    ['b', 3],
  ])
  assert.deepEqual(await samplesOf(meters, METRICS.sessions.name), [[{}, 11]])
  sessions = 5
  assert.deepEqual(await samplesOf(meters, METRICS.sessions.name), [[{}, 15]])
  assert.deepEqual(await samplesOf(meters, METRICS.instances.name), [
    [{ tool: 'a' }, 2],
    [{ tool: 'b' }, 3],
  ])
  assert.deepEqual(await samplesOf(meters, METRICS.in_flight.name), [[{}, 0]])
})

test('label values past the bound are counted together, and none is lost', async () => {
  const meters = createMeters('0')
  const calls = MOST + 500
  for (let n = 0; n < calls; n += 1) meters.call(`tool-${n}`, 'rest', 'ok', 1)
  const requests = await samplesOf(meters, METRICS.requests.name)
  assert.equal(requests.length, MOST + 1)
  assert.deepEqual(requests.at(-1), [{ tool: OTHER, entrance: OTHER, outcome: OTHER }, 500])
  const { samples } = await familyOf(meters, METRICS.duration.name)
  const counts = samples.filter(({ name }) => name.endsWith('_count'))
  assert.equal(counts.length, MOST + 1)
  assert.equal(
    counts.reduce((sum, { value }) => sum + value, 0),
    calls,
  )
})

test('a label value with quotes, backslashes and line ends still parses', async () => {
  const meters = createMeters('0')
  meters.routingError('a "b" \\ c\nd')
  assert.deepEqual(await samplesOf(meters, METRICS.routingErrors.name), [
    [{ reason: 'a "b" \\ c\nd' }, 1],
  ])
})

async function familyOf(meters: Meters, name: string): Promise<{ samples: readonly Sample[] }> {
  const family = parsePrometheus(await meters.scrape()).get(name)
  assert.ok(family)
  return family
}

async function samplesOf(meters: Meters, name: string): Promise<[object, number][]> {
  const { samples } = await familyOf(meters, name)
  return samples.map(({ labels, value }) => [labels, value])
}
