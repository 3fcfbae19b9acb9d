import { defineTool, fn, inline } from 'toolgate'
import { z } from 'zod'

const zone = z
  .string()
  .refine(isZone, 'not a known time zone')
  .describe('IANA name, such as Europe/Paris')

export default defineTool({
  title: 'Clock',
  description: 'Tell the time.',
  tags: ['time'],
  runtime: inline({
    now: fn({
      title: 'The time now',
      description: 'The local time in a time zone.',
      input: z.object({ zone: zone.default('UTC') }),
      output: z.object({ time: z.string(), zone: z.string() }),
      annotations: { readOnlyHint: true, openWorldHint: false },
      run: (args) => ({ time: localTime(new Date(), args.zone), zone: args.zone }),
    }),
    convert: fn({
      title: 'A moment elsewhere',
      description: 'A moment as the local time of another time zone.',
      input: z.object({
        moment: z.iso
          .datetime({ offset: true })
          .describe('A moment with its offset, such as 2026-03-29T02:30:00+01:00'),
        zone,
      }),
      output: z.object({ time: z.string(), zone: z.string() }),
      annotations: { readOnlyHint: true, idempotentHint: true, openWorldHint: false },
      run: (args) => ({ time: localTime(new Date(args.moment), args.zone), zone: args.zone }),
    }),
  }),
  timeout: '1s',
})

/** Such as `2026-03-29 03:30:00`: the Swedish form is the ISO one. */
function localTime(moment: Date, timeZone: string): string {
  return moment.toLocaleString('sv', { timeZone })
}

function isZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('sv', { timeZone: name }) !== undefined
  } catch {
    return false
  }
}
