import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ALL_TOOLS } from '../../../src/inbound/aggregate/all-tools.ts'
import { Directory, type Shown } from '../../../src/inbound/aggregate/directory.ts'
import { discovered, initialized } from '../../../src/inbound/aggregate/hello.ts'

const TASKS = 'io.modelcontextprotocol/tasks'
const shown = (name: string, capabilities: object): Shown => ({
  tool: { ...ALL_TOOLS, name, description: `Does ${name}.\nAnd more.` },
  lists: undefined,
  capabilities: { ...capabilities },
})
const capabilitiesOf = (hello: object) => Object(hello).capabilities

test('all tools can do what any of them can, as the first that can says it', () => {
  const directory = new Directory([
    shown('one', { extensions: { a: { of: 1 }, [TASKS]: {} }, experimental: { x: {} } }),
    shown('two', { extensions: { a: { of: 2 }, b: {} }, experimental: { y: {} }, tasks: {} }),
    shown('three', { extensions: 7, sampling: {} }),
  ])
  const modern = capabilitiesOf(discovered(directory))
  assert.deepEqual(modern.extensions, { a: { of: 1 }, b: {}, [TASKS]: {} })
  assert.deepEqual(modern.experimental, { x: {}, y: {} })
  assert.equal(modern.sampling, undefined)
  const legacy = capabilitiesOf(initialized(directory, '2025-11-25'))
  assert.deepEqual(legacy.extensions, { a: { of: 1 }, b: {} })
  assert.deepEqual(legacy.tasks, { cancel: {}, requests: { tools: { call: {} } } })
})

test('a tool whose capabilities cannot be written hides no other', () => {
  let deep: object = {}
  for (let depth = 0; depth < 100_000; depth += 1) deep = { deep }
  const directory = new Directory([
    shown('deep', { extensions: { deep }, experimental: { deep } }),
    shown('plain', { extensions: { a: {} } }),
  ])
  for (const hello of [discovered(directory), initialized(directory, undefined)]) {
    const { extensions, experimental } = capabilitiesOf(hello)
    assert.deepEqual(
      { extensions, experimental },
      { extensions: { a: {} }, experimental: undefined },
    )
    assert.match(JSON.stringify(hello), /- deep: Does deep\.\\n- plain: Does plain\./)
  }
})

test('a version that is not known is answered with the latest of its era', () => {
  const version = (wanted: unknown) => initialized(new Directory([]), wanted).protocolVersion
  assert.equal(version('2025-03-26'), '2025-03-26')
  assert.equal(version('1999-01-01'), '2025-11-25')
  assert.equal(version(7), '2025-11-25')
})
