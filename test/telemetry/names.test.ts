import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { METRICS, SPANS } from '../../src/telemetry/names.ts'

const SRC = fileURLToPath(new URL('../../src/', import.meta.url))

test('names of spans and metrics are written in the table only', () => {
  const names = [...Object.values(SPANS), ...Object.values(METRICS).map(({ name }) => name)]
  for (const file of globSync('**/*.{ts,js}', { cwd: SRC })) {
    if (file === 'telemetry/names.ts') continue
    const text = readFileSync(SRC + file, 'utf8')
    for (const name of names) {
      const written = ["'", '"', '`'].some((quote) => text.includes(quote + name + quote))
      assert.ok(!written, `${name} in ${file}`)
    }
    assert.ok(!text.includes('mcp_gateway_'), `a metric's name in ${file}`)
  }
})

test('no name is used twice, and each is well formed', () => {
  const metrics = Object.values(METRICS).map(({ name }) => name)
  const spans = Object.values(SPANS)
  assert.equal(new Set(metrics).size, metrics.length)
  assert.equal(new Set(spans).size, spans.length)
  for (const name of metrics) assert.match(name, /^[a-z][a-z0-9_]*[a-z0-9]$/)
  for (const name of spans) assert.match(name, /^toolgate(\.[a-z]+)+$/)
})
