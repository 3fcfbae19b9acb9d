import assert from 'node:assert/strict'

export interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

export interface Family {
  readonly type: string
  readonly help: string
  readonly samples: Sample[]
}

/**
 * Parses the Prometheus text format 0.0.4 as strictly as its description: each metric has one HELP,
 * then one TYPE, then its samples together, no series twice; histograms are cumulative and whole.
 */
export function parsePrometheus(text: string): Map<string, Family> {
  assert.ok(text.endsWith('\n'), 'the last line has its end')
  const families = new Map<string, Family>()
  const series = new Set<string>()
  let help: { name: string; text: string } | undefined
  let current: { name: string; family: Family } | undefined
  for (const line of text.slice(0, -1).split('\n')) {
    const head = /^# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)$/.exec(line)
    if (head?.[1] === 'HELP') {
      help = { name: head[2] ?? '', text: head[3] ?? '' }
      continue
    }
    if (head?.[1] === 'TYPE') {
      const [, , name = '', type = ''] = head
      assert.equal(help?.name, name, `TYPE of ${name} follows its HELP`)
      assert.match(type, /^(counter|gauge|histogram)$/)
      assert.ok(!families.has(name), `${name} is there once`)
      current = { name, family: { type, help: help?.text ?? '', samples: [] } }
      families.set(name, current.family)
      continue
    }
    const sample = parseSample(line)
    assert.ok(current !== undefined, `${line} belongs to a metric`)
    const suffixes = current.family.type === 'histogram' ? ['_bucket', '_sum', '_count'] : ['']
    assert.ok(
      suffixes.some((suffix) => sample.name === `${current?.name}${suffix}`),
      `${sample.name} stands below ${current.name}`,
    )
    const key = JSON.stringify([sample.name, Object.entries(sample.labels).sort()])
    assert.ok(!series.has(key), `${key} is there once`)
    series.add(key)
    current.family.samples.push(sample)
  }
  for (const [name, { type, samples }] of families) {
    if (type === 'counter') assert.match(name, /_total$/)
    if (type === 'counter') assert.ok(samples.every(({ value }) => value >= 0))
    if (type === 'histogram') checkHistogram(name, samples)
  }
  return families
}

function parseSample(line: string): Sample {
  const match = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/.exec(line)
  assert.ok(match, `a sample: ${line}`)
  const [, name = '', set = '', number = ''] = match
  assert.match(number, /^(NaN|[+-]Inf|[+-]?\d+(\.\d+)?(e[+-]?\d+)?)$/i, line)
  const labels: Record<string, string> = {}
  let rest = set
  while (rest !== '') {
    const pair = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/.exec(rest)
    assert.ok(pair, `labels: ${rest}`)
    const [all, key = '', value = ''] = pair
    assert.ok(!(key in labels), `${key} is there once`)
    labels[key] = value.replaceAll(/\\(.)/g, (_, char) => (char === 'n' ? '\n' : char))
    rest = rest.slice(all.length)
  }
  return { name, labels, value: Number(number.replace('Inf', 'Infinity')) }
}

function checkHistogram(name: string, samples: readonly Sample[]): void {
  const groups = Map.groupBy(samples, ({ labels: { le: _, ...labels } }) => JSON.stringify(labels))
  for (const [labels, group] of groups) {
    const buckets = group.filter((sample) => sample.name.endsWith('_bucket'))
    const bounds = buckets.map(({ labels: { le = '' } }) => Number(le.replace('Inf', 'Infinity')))
    const values = buckets.map(({ value }) => value)
    assert.deepEqual(
      bounds,
      bounds.toSorted((a, b) => a - b),
      `${name}${labels} is in order`,
    )
    assert.deepEqual(
      values,
      values.toSorted((a, b) => a - b),
      `${name}${labels} is cumulative`,
    )
    assert.equal(bounds.at(-1), Number.POSITIVE_INFINITY)
    const count = group.filter((sample) => sample.name === `${name}_count`)
    const sum = group.filter((sample) => sample.name === `${name}_sum`)
    assert.deepEqual([count.length, sum.length], [1, 1])
    assert.equal(count[0]?.value, values.at(-1))
  }
}
