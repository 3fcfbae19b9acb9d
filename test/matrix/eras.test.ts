import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { after, test } from 'node:test'
import { fixture } from '../harness/fixtures.ts'
import { type Gateway, startGateway } from '../harness/gateway.ts'
import { within } from '../harness/until.ts'
import { FEATURES } from './features.ts'
import { INLINE_TOOL } from './inline-tool.ts'
import { PARTIES, type Party } from './parties.ts'
import { type Kind, lacks, REFUSALS } from './refusals.ts'
import { type Measured, type Outcome, tableOf } from './table.ts'

// Every client with every tool, and everything that a client may want of a tool. What is refused
// is refused by name; the table of it all is in docs/eras.md, where
// `node test/matrix/eras.test.ts --write` puts it.

const TOOLS = (['launcher', 'daemon'] as const).flatMap((mode) =>
  (['legacy', 'modern', 'dual', 'inline'] as const).map((speaks): Kind => ({ mode, speaks })),
)
const sourceOf = ({ speaks, mode }: Kind) =>
  speaks === 'inline'
    ? INLINE_TOOL.replace('runtime:', `mode: '${mode}',\n  runtime:`)
    : { command: fixture('everything', speaks), mode }
const KEY = 'key-of-the-matrix'
const HEADERS = { 'x-api-key': KEY }
const hash = `sha256:${createHash('sha256').update(KEY).digest('hex')}`

const gateway = await startGateway(
  { after },
  {
    config: { keys: [{ id: 'matrix', hash }], limits: { calls: 100_000, per: '1s' } },
    tools: Object.fromEntries(TOOLS.map((kind) => [nameOf(kind), sourceOf(kind)])),
  },
)
const measured = new Map<string, Measured>()
for (const [tool, clients] of await Promise.all(TOOLS.map(measure))) measured.set(tool, clients)

for (const [tool, clients] of measured) {
  for (const [client, outcomes] of clients) {
    test(`${client} and a ${tool}`, () => {
      const failed: Record<string, string[]> = {}
      for (const [feature, outcome] of outcomes) {
        if (typeof outcome === 'string' || !('failed' in outcome)) continue
        failed[outcome.failed] = [...(failed[outcome.failed] ?? []), feature]
      }
      assert.deepEqual(failed, {})
    })
  }
}

test('docs/eras.md shows what was measured', (t) => {
  const table = tableOf(measured)
  t.diagnostic(`\n${table}`)
  const page = new URL('../../docs/eras.md', import.meta.url)
  const text = readFileSync(page, 'utf8')
  const place = /(?<=<!-- measured -->\n\n).*?(?=\n\n<!-- \/measured -->)/s
  if (process.argv.includes('--write')) writeFileSync(page, text.replace(place, table))
  else assert.equal(place.exec(text)?.[0], table)
})

/** The clients of one tool come one after the other, because a daemon tells all of its changes. */
async function measure(kind: Kind): Promise<[string, Measured]> {
  const tool = nameOf(kind)
  const clients = new Map<string, Map<string, Outcome>>()
  for (const [client, open] of Object.entries(PARTIES)) {
    const outcomes = new Map<string, Outcome>()
    clients.set(client, outcomes)
    const url = `${gateway.url}/mcp/${tool}`
    const opened = within(20_000, 'it to connect', open({ after }, url, HEADERS))
    const party = await opened.catch((error: Error) => error)
    for (const [feature, attempt] of Object.entries(FEATURES)) {
      if (lacks(kind, feature)) {
        outcomes.set(feature, 'lacking')
        continue
      }
      const label = `${client} ${tool} ${feature}`
      const outcome = party instanceof Error ? Promise.reject(party) : tried(attempt, party, label)
      outcomes.set(feature, await outcome.then(() => 'yes' as const, refusalOf(kind, feature)))
    }
    if (!(party instanceof Error)) await party.close()
  }
  const what = kind.speaks === 'inline' ? 'functions in the file' : `${kind.speaks} tool`
  return [`${kind.mode}, ${what}`, clients]
}

function nameOf({ mode, speaks }: Kind): string {
  return `${mode}-${speaks}`
}

function tried(attempt: (typeof FEATURES)[string], party: Party, label: string): Promise<void> {
  const trial: { party: Party; gateway: Gateway; label: string } = { party, gateway, label }
  return within(15_000, label, attempt(trial))
}

/** Takes what was thrown for what is refused on purpose, or for a failure. */
function refusalOf(kind: Kind, feature: string): (error: Error) => Outcome {
  const expected = REFUSALS.filter((each) => each.features.includes(feature) && each.of(kind))
  return ({ message }) => expected.find(({ seen }) => seen.test(message)) ?? { failed: message }
}
