import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { contractText, drift } from '../../src/contract/file.ts'
import { shippedTools } from '../../src/http/shipped-tools.ts'

const tool = (name: string) => ({
  name,
  description: name,
  functions: [{ name: 'f', inputSchema: { type: 'object', properties: { b: {}, a: {} } } }],
})

test('The same tools give the same bytes, in whatever order they come', () => {
  const one = contractText([tool('a'), tool('b')])
  assert.equal(contractText([tool('b'), tool('a')]), one)
  assert.equal(drift(one, one), undefined)
})

test('A difference is told in lines', () => {
  const difference = drift(contractText([tool('a')]), contractText([tool('b')])) ?? ''
  assert.match(difference, /^- .*\/v1\/tools\/a\/f/m)
  assert.match(difference, /^\+ .*\/v1\/tools\/b\/f/m)
})

test('openapi/gateway.yaml is what the code and the shipped inline tools say', async () => {
  const committed = await readFile(new URL('../../openapi/gateway.yaml', import.meta.url), 'utf8')
  assert.equal(drift(committed, contractText(await shippedTools())), undefined)
})
