import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { silent } from '../../src/cli/silent.ts'
import { openRegistry } from '../../src/registry/open.ts'
import { startGateway } from '../harness/gateway.ts'

const TOOLS = join(import.meta.dirname, '../../tools.d')
const cache = mkdtempSync(join(tmpdir(), 'toolgate-offline-'))
after(() => rmSync(cache, { recursive: true, force: true }))

test('no shipped tool is given a network, a secret, a variable, or somebody’s files', async () => {
  const registry = await openRegistry({ folder: TOOLS, cache, log: silent, watch: false })
  await registry.settled
  const entries = registry.list()
  assert.deepEqual(entries.map(({ name }) => name).sort(), ['calculator', 'clock', 'files'])
  for (const { name, declaration } of entries) {
    const { policy } = declaration ?? {}
    const { network, env, secrets, files, sandbox, workspace } = policy ?? {}
    assert.deepEqual(
      { network, env, secrets, files, sandbox },
      {
        network: 'none',
        env: [],
        secrets: {},
        files: { read: [], write: [] },
        sandbox: 'required',
      },
      name,
    )
    // What is remembered between calls would have to be kept somewhere.
    assert.notEqual(workspace?.access, 'read-write', name)
  }
  await registry.close()
})

test('a shipped tool answers the same whatever came before, from another process too', async (t) => {
  const ask = async () => {
    const gateway = await startGateway(t, { args: ['--tools', TOOLS] })
    const body = { operator: 'divide', operands: ['1', '7'], precision: 50 }
    const answers: string[] = []
    for (const more of [{}, { operands: ['2', '3'] }, {}]) {
      const response = await fetch(`${gateway.url}/v1/tools/calculator/calculate`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ ...body, ...more }),
      })
      answers.push(await response.text())
    }
    await gateway.stop()
    return answers
  }
  const [first, , third] = await ask()
  assert.match(first ?? '', /0\.142857/, first)
  assert.equal(third, first)
  assert.equal((await ask())[0], first)
})
