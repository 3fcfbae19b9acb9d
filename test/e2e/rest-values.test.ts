import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { fixture } from '../harness/fixtures.ts'
import { startGateway } from '../harness/gateway.ts'
import { raw } from '../harness/raw.ts'
import { callRest, toolReady, toolView } from '../harness/tool-view.ts'

test('what a modern function answers that is no object is what its contract says', async (t) => {
  const gateway = await startGateway(t, { tools: { modern: { command: fixture('modern-echo') } } })
  await toolReady(gateway, 'modern')
  const document = (await raw(`${gateway.url}/openapi.json`)).json() as unknown as Document
  const { functions } = await toolView(gateway, 'modern')
  for (const [name, expected] of [
    ['values', { result: [1, 2, 3] }],
    ['digits', { value: Number('12345678901234567890') }],
  ] as const) {
    const answer = (await callRest(gateway, 'modern', name, {})).json()
    assert.deepEqual(answer, expected)
    const said = document.paths[`/v1/tools/modern/${name}`]?.post.responses[200]
    const { schema } = said?.content['application/json'] ?? {}
    const shown = (functions as Shown[]).find((each) => each.name === name)?.outputSchema
    for (const each of [{ ...schema, components: document.components }, shown ?? {}]) {
      const ajv = new Ajv2020({ strict: false })
      assert.ok(ajv.validate(each, answer), `${name}: ${ajv.errorsText()}`)
      assert.equal(ajv.validate(each, { other: true }), false, `${name} takes anything`)
    }
  }
})

interface Document {
  readonly components: object
  readonly paths: Record<string, { post: { responses: Record<number, Said> } }>
}

interface Said {
  readonly content: Record<string, { readonly schema: object }>
}

interface Shown {
  readonly name: string
  readonly outputSchema?: object
}
