/** The file of a tool whose functions are written in it, by the names that the others have. */
export const INLINE_TOOL = `
import { once } from 'node:events'
import { defineTool, fn, inline } from 'toolgate'
import { z } from 'zod'

const STRING = { type: 'string' }
const USER = { type: 'object', properties: { username: STRING, email: STRING } }
const QUESTION = { role: 'user', content: { type: 'text', text: 'Say something.' } }
const does = (run) => fn({ description: 'Does what its name says.', input: z.looseObject({}), run })

export default defineTool({
  description: 'Functions in the file.',
  runtime: inline({
    echo: fn({
      description: 'Answers with its arguments.',
      input: z.object({ label: z.string() }),
      output: z.object({ label: z.string() }),
      run: (args) => args,
    }),
    test_error_handling: does(() => {
      throw new Error('This tool intentionally returns an error for testing')
    }),
    test_tool_with_progress: does((_args, { progress }) => {
      for (const done of [0, 50, 100]) progress(done, 100)
    }),
    test_tool_with_logging: does((_args, { log }) => {
      for (const what of ['started', 'processing', 'completed']) log('info', what)
    }),
    test_sampling: does(async (_args, { ask }) => {
      const params = { messages: [QUESTION], maxTokens: 10 }
      const { reply } = await ask({ reply: { method: 'sampling/createMessage', params } })
      return 'LLM response: ' + reply.content.text
    }),
    test_elicitation: does(async (_args, { ask }) => {
      const params = { mode: 'form', message: 'Who are you?', requestedSchema: USER }
      const { user } = await ask({ user: { method: 'elicitation/create', params } })
      return 'action=' + user.action + ', content=' + JSON.stringify(user.content)
    }),
    test_roots: does(async (_args, { ask }) => {
      const { roots } = await ask({ roots: { method: 'roots/list' } })
      return 'Roots: ' + roots.roots.map(({ uri }) => uri).join(', ')
    }),
    test_cancellation: does(async ({ label }, { signal }) => {
      console.error('test_cancellation: ' + label + ' waits')
      if (!signal.aborted) await once(signal, 'abort')
      console.error('test_cancellation: ' + label + ' aborted')
    }),
  }),
})
`
