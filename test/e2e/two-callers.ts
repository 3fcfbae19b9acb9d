import { createHash } from 'node:crypto'
import { fixture } from '../harness/fixtures.ts'
import { type Gateway, type Owner, startGateway } from '../harness/gateway.ts'
import { raw } from '../harness/raw.ts'
import { until } from '../harness/until.ts'

const INLINE = `
import { defineTool, fn, inline } from 'toolgate'
import { z } from 'zod'

const form = (message) => ({
  method: 'elicitation/create',
  params: { mode: 'form', message, requestedSchema: { type: 'object', properties: {} } },
})

export default defineTool({
  description: 'Says who is asking.',
  mode: 'daemon',
  limits: { calls: 1_000_000, per: '1s' },
  runtime: inline({
    tell: fn({
      description: 'Says it in three steps.',
      input: z.object({ who: z.string(), n: z.number() }),
      async run({ who, n }, { progress }) {
        for (let step = 1; step <= 3; step += 1) await progress(step, 3, who + ' ' + n)
        return JSON.stringify({ who, n, pid: process.pid })
      },
    }),
    ask: fn({
      description: 'Asks, and says what it was told.',
      input: z.object({ who: z.string() }),
      async run({ who }, { ask }) {
        const { form: told } = await ask({ form: form(who) })
        return JSON.stringify({ who, told })
      },
    }),
  }),
})
`
export const CALLERS = ['ada', 'bob'] as const
const keys = CALLERS.map((id) => ({
  id,
  hash: `sha256:${createHash('sha256').update(`key-of-${id}`).digest('hex')}`,
}))
/** What a request of a caller carries. */
export const as = (who: string) => ({ authorization: `Bearer key-of-${who}` })
const common = { mode: 'daemon', limits: { calls: 1_000_000, per: '1s' } }
/** Each tool is one process for all. */
export const TOOLS = ['modern', 'legacy', 'inline']

/** A gateway for the two of them, which knows its tools. */
export async function openToBoth(owner: Owner): Promise<Gateway> {
  const gateway = await startGateway(owner, {
    config: { keys, limits: common.limits },
    tools: {
      modern: { command: fixture('tells-apart', 'modern'), ...common },
      legacy: { command: fixture('tells-apart'), ...common },
      inline: INLINE,
    },
  })
  await until('every tool to be known', async () => {
    const { text } = await raw(`${gateway.url}/v1/tools`, { headers: as('ada') })
    const { tools } = JSON.parse(text) as { tools: readonly { state: string }[] }
    return tools.length === TOOLS.length && tools.every(({ state }) => state === 'ready')
  })
  return gateway
}
