import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { defineTool, fn, inline } from '../../src/tool/define.ts'

test('defineTool gives back what it was given, with the types of its functions', async () => {
  const options = {
    description: 'Count.',
    runtime: inline({
      add: fn({
        description: 'Add two numbers.',
        input: z.object({ a: z.number(), b: z.number().default(1) }),
        output: z.object({ sum: z.number() }),
        run: ({ a, b }) => ({ sum: a + b }),
      }),
    }),
  }
  const tool = defineTool(options)
  assert.equal(tool, options)
  const { add } = tool.runtime.functions
  assert.equal(add.input.parse({ a: 1 }).b, 1)
})

test('a mistyped key, duration or answer is an error in the editor', () => {
  fn({
    description: 'Wrong answer.',
    input: z.object({}),
    output: z.object({ sum: z.number() }),
    // @ts-expect-error: sum is a number
    run: () => ({ sum: 'three' }),
  })
  defineTool({
    description: 'Wrong key.',
    runtime: inline({}),
    // @ts-expect-error: policy is meant
    polcy: {},
  })
  defineTool({
    description: 'Wrong duration.',
    runtime: inline({}),
    // @ts-expect-error: the unit is missing
    timeout: '30',
    policy: {
      // @ts-expect-error: egress is meant
      network: 'egres',
    },
  })
  assert.ok(true)
})
