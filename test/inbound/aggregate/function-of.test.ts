import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Link } from '../../../src/call/link.ts'
import { ALL_TOOLS } from '../../../src/inbound/aggregate/all-tools.ts'
import type { Directories } from '../../../src/inbound/aggregate/directories.ts'
import { Directory, type Shown } from '../../../src/inbound/aggregate/directory.ts'
import { functionOf } from '../../../src/inbound/aggregate/function-of.ts'
import { EMPTY } from '../../../src/inbound/aggregate/lists.ts'

const tool = { ...ALL_TOOLS, name: 't' }
const unknown: Shown = { tool, lists: undefined, capabilities: {} }
const functions = [{ name: 'f.g', inputSchema: {} }]
const known: Shown = { ...unknown, lists: { ...EMPTY, functions } }
const directories = (now: Shown, later = now) =>
  ({
    now: () => new Directory([now]),
    settled: async () => new Directory([later]),
  }) as unknown as Directories
const link = (of = ALL_TOOLS) => ({ tool: of, caller: {} }) as Link

test('a tool’s own endpoint has its own functions, whatever they are called', () => {
  const found = functionOf(directories(known), link(tool), 'anything')
  assert.deepEqual(found, { tool, own: 'anything' })
})

test('among all tools the tool of a function is found, as soon as it is known', async () => {
  assert.deepEqual(functionOf(directories(known), link(), 't__f_g'), { tool, own: 'f.g' })
  const waiting = functionOf(directories(unknown, known), link(), 't__f_g')
  assert.ok(waiting instanceof Promise)
  assert.deepEqual(await waiting, { tool, own: 'f.g' })
})

test('what is still not known is refused, before anything is compared with it', async () => {
  const waiting = async () => functionOf(directories(unknown), link(), 't__f_g')
  await assert.rejects(waiting, { code: 'not_learned' })
  await assert.rejects(async () => functionOf(directories(unknown, known), link(), 't__x'), {
    code: 'unknown_function',
  })
})

test('what no tool has is left for the call to be refused', () => {
  const found = functionOf(directories(known), link(), 't__nothing')
  assert.deepEqual(found, { tool: ALL_TOOLS, own: 't__nothing' })
})
