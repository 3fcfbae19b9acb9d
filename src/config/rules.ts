import type { Config } from './config.ts'
import { isLoopback } from './exposure.ts'
import type { Mistake } from './mistake.ts'
import type { Places, Readable } from './read.ts'

/** Keys that are right alone and wrong together. */
export function conflicts(
  config: Readable<Pick<Config, 'listen' | 'keys' | 'sandbox'>>,
  places: Places,
) {
  const mistakes: Mistake[] = []
  const { host, port, metrics, metricsHost } = config.listen
  const same = port === metrics && host === metricsHost
  if (same && port !== undefined && port !== 0 && host !== undefined)
    wrong('listen.metrics', `port ${port} is the gateway's own`, 'another port, 0 or off')
  // Who can be reached by others, or tells callers apart, must not run their tools unconfined.
  const exposed = (config.keys?.length ?? 0) > 0 || (host !== undefined && !isLoopback(host))
  if (config.sandbox === 'none' && exposed)
    wrong(
      'sandbox',
      'found none, with keys or a public address',
      "required; a tool's own file can say policy: { sandbox: 'none' }",
    )
  const ids = config.keys?.map(({ id }) => id) ?? []
  for (const [index, id] of ids.entries())
    if (id !== undefined && ids.indexOf(id) !== index)
      wrong(`keys[${index}].id`, `"${id}" is used twice`, 'a name of its own for each key')
  return mistakes

  function wrong(path: string, message: string, expected: string): void {
    const place = places.get(path) ?? { source: 'default' }
    mistakes.push({ place, path, message, expected })
  }
}
