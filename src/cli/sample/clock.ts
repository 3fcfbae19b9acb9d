// One file is one tool, and its name is the tool's name. Save it and it is served.
import { defineTool, fn, inline } from 'toolgate'
import { z } from 'zod'

export default defineTool({
  description: 'Tell the time.',
  runtime: inline({
    now: fn({
      description: 'The local time in a time zone.',
      input: z.object({ zone: z.string().describe('IANA name, such as Europe/Paris') }),
      output: z.object({ time: z.string() }),
      run: ({ zone }) => ({ time: new Date().toLocaleString('sv', { timeZone: zone }) }),
    }),
  }),
  timeout: '1s',
})
