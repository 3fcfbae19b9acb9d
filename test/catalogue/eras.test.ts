import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { toolOf } from '../pool/given.ts'
import { openCatalogue } from './given.ts'

const TOOLS = [
  { name: 'modern-echo', args: [], era: 'modern', dual: false },
  { name: 'everything', args: ['modern'], era: 'modern', dual: false },
  { name: 'everything', args: ['dual'], era: 'modern', dual: true },
  { name: 'everything', args: ['legacy'], era: 'legacy', dual: false },
  { name: 'echo', args: [], era: 'legacy', dual: false },
  { name: 'exits-on-discover', args: [], era: 'legacy', dual: false },
  { name: 'silent-on-discover', args: [], era: 'legacy', dual: false },
] as const

for (const { name, args, era, dual } of TOOLS)
  test(`${[name, ...args].join(' ')} is ${dual ? 'dual' : era}, asked once, learned, and remembered`, async (t) => {
    const given = await openCatalogue(t, { start: 10_000 })
    const tool = toolOf(name, {}, ...args)
    const spoken = await Promise.all([given.catalogue.spoken(tool), given.catalogue.spoken(tool)])
    for (const each of spoken) assert.partialDeepStrictEqual(each, { era, dual })
    assert.equal(given.catalogue.spoken(tool), given.catalogue.spoken(tool), 'it is known now')
    const learned = await given.catalogue.learn(tool)
    assert.partialDeepStrictEqual(learned, { era, dual })
    assert.ok(learned.functions.length > 0)
    assert.deepEqual(given.started(), { probes: era === 'modern' ? 2 : 1, others: 1 })
    const again = await given.again()
    assert.partialDeepStrictEqual(await again.catalogue.spoken(tool), { era, dual })
    assert.deepEqual(await again.catalogue.learn(tool), learned)
    assert.deepEqual(again.started(), { probes: 0, others: 0 })
  })

test('what a file declares is believed without asking', async (t) => {
  const { catalogue, started } = await openCatalogue(t)
  const legacy = toolOf('echo', { era: 'legacy' })
  const modern = toolOf('modern-echo', { era: 'modern' })
  assert.deepEqual(catalogue.spoken(legacy), { era: 'legacy', dual: false })
  assert.deepEqual(catalogue.spoken(modern), { era: 'modern', dual: false })
  assert.equal((await catalogue.learn(legacy)).era, 'legacy')
  assert.equal((await catalogue.learn(modern)).era, 'modern')
  assert.deepEqual(started(), { probes: 0, others: 2 })
})

// They wait for what does not come.
describe('who takes too long to be asked', { concurrency: true }, () => {
  test('a modern tool that starts too slowly to be asked is known by what it refuses', async (t) => {
    const { catalogue } = await openCatalogue(t, { start: 5000 })
    const slow = toolOf('slow-modern', {}, '3000')
    assert.equal((await catalogue.spoken(slow)).era, 'legacy')
    assert.equal((await catalogue.learn(slow)).era, 'modern')
    assert.equal((await catalogue.spoken(slow)).era, 'modern')
  })

  test('one that started too slowly to answer is asked anew by the next gateway', async (t) => {
    const given = await openCatalogue(t, { start: 3000 })
    const slow = toolOf('slow-start', {}, '1800')
    assert.equal((await given.catalogue.learn(slow)).era, 'legacy')
    const again = await given.again()
    await again.catalogue.spoken(slow)
    assert.equal(again.started().probes, 1)
  })

  test('so is one that was silent, and then not quick enough to be sure that it had heard', async (t) => {
    const given = await openCatalogue(t, { start: 3000 })
    const marks = mkdtempSync(join(tmpdir(), 'toolgate-eras-'))
    t.after(() => rmSync(marks, { recursive: true, force: true }))
    const busy = toolOf('slow-at-first', {}, join(marks, 'started'), '2500', '1000')
    assert.equal((await given.catalogue.learn(busy)).era, 'legacy')
    const again = await given.again()
    await again.catalogue.spoken(busy)
    assert.equal(again.started().probes, 1)
  })
})

for (const [era, spoken] of [
  ['modern', 'legacy'],
  ['legacy', 'modern'],
] as const)
  test(`a ${spoken} tool whose file says ${era} is told of with that`, async (t) => {
    const { catalogue } = await openCatalogue(t)
    const tool = toolOf('everything', { era }, spoken)
    await assert.rejects(catalogue.learn(tool), new RegExp(` Its file says era: '${era}'\\.$`))
    const state = catalogue.peek(tool)
    assert.match(String(state?.state === 'failed' && state.error), new RegExp(`era: '${era}'`))
  })

test('a tool that cannot be started is legacy, and is not asked again at once', async (t) => {
  const { catalogue } = await openCatalogue(t)
  const nowhere = toolOf('echo', {
    runtime: { kind: 'command', program: '/there/is/no/such/program', args: [] },
  })
  const spoken = await catalogue.spoken(nowhere)
  assert.partialDeepStrictEqual(spoken, { era: 'legacy', dual: false })
  assert.equal(catalogue.spoken(nowhere), spoken)
  await assert.rejects(catalogue.learn(nowhere), { code: 'tool_failed_to_start' })
})

test('a version that is forgotten while it is asked is asked again when it comes back', async (t) => {
  const { catalogue, started } = await openCatalogue(t)
  const tool = toolOf('echo')
  const first = catalogue.spoken(tool)
  catalogue.forget(tool)
  await first
  await catalogue.spoken(tool)
  assert.equal(started().probes, 2)
})

test('what is forgotten while it fails to be learned stays forgotten', async (t) => {
  const { catalogue } = await openCatalogue(t)
  const broken = toolOf('exits-at-start')
  const learning = catalogue.learn(broken)
  catalogue.forget(broken)
  await assert.rejects(learning)
  assert.equal(catalogue.peek(broken), undefined)
})
