import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ofTool, splitId, splitUri, withTool } from '../../../src/inbound/aggregate/uris.ts'

const TOOLS = ['a', 'a_', 'b-c', 'files']
const known = (name: string) => TOOLS.find((tool) => tool === name)
const URIS = [
  'ui://weather/view.html',
  'file:///etc/motd',
  'https://example.com/x?y=z#f',
  'test://static-text',
  'urn:isbn:0451450523',
  'mailto:someone@example.com',
  'notes',
  '_private/notes',
  '__more',
  'it://_x',
  'it://__x__y',
  'x:%5F%5f',
  '{scheme}://{host}',
  'test://template/{id}/data',
  'file://{+path}',
  'x:{rest}',
  '',
]

test('the tool goes behind the scheme, which stays', () => {
  assert.equal(withTool('files', 'ui://view/x.html'), 'ui://files__view/x.html')
  assert.equal(withTool('files', 'file:///etc/motd'), 'file://files__/etc/motd')
  assert.equal(withTool('files', 'urn:isbn:1'), 'urn:files__isbn:1')
  assert.equal(withTool('files', 'notes'), 'files__notes')
  assert.equal(withTool('files', 'test://{id}/data'), 'test://files__{id}/data')
})

test('every URI comes back to its tool as it was, with tools that differ by an underscore', () => {
  for (const tool of TOOLS) {
    for (const uri of URIS) {
      assert.deepEqual(splitUri(withTool(tool, uri), known), { tool, own: uri })
      assert.deepEqual(splitId(ofTool(tool, uri), known), { tool, own: uri })
    }
  }
})

test('no two tools share a URI, whatever theirs are', () => {
  const all = TOOLS.flatMap((tool) => URIS.map((uri) => withTool(tool, uri)))
  assert.equal(new Set(all).size, all.length)
})

test('a template that a client fills in leads to the URI that its tool expects', () => {
  const filled = withTool('a', 'x:{+rest}').replace('{+rest}', '//_y/z')
  assert.deepEqual(splitUri(filled, known), { tool: 'a', own: 'x://_y/z' })
})

test('what is of no tool that is seen is of none', () => {
  for (const uri of ['ui://view', 'ui://other__view', '__x', 'a_b', 'x:__', ''])
    assert.equal(splitUri(uri, known), undefined, uri)
})

test('a name that was written by hand is found where it can only mean one', () => {
  const only = (name: string) => (name === 'a_' ? name : undefined)
  assert.deepEqual(splitUri('it://a___b', only), { tool: 'a_', own: 'it://b' })
})
