import type { Call } from '../../call/call.ts'
import { ToolgateError } from '../../errors.ts'
import type { Declaration } from '../../tool/declaration.ts'
import type { Directories } from './directories.ts'

/**
 * What asks a call's client, where it can be asked: given up as soon as the caller is no longer
 * served by this version of the tool, because its answer may come in a later request.
 */
export function askWhileServed(
  directories: Directories,
  call: Call,
  tool: Declaration,
): Call['ask'] {
  const ask = call.ask?.bind(call)
  if (ask === undefined) return undefined
  const served = () => {
    const now = directories.now(call.link.caller).tool(tool.name)
    if (now?.version !== tool.version) throw changed(tool)
  }
  return async (requests) => {
    const over = Promise.withResolvers<never>()
    const forget = directories.onChange(() => {
      try {
        served()
      } catch (error) {
        over.reject(error)
      }
    })
    try {
      const answers = await Promise.race([ask(requests), over.promise])
      // It is not told of changes at once.
      served()
      return answers
    } finally {
      forget()
    }
  }
}

function changed({ name }: Declaration): ToolgateError {
  const message = `The tool "${name}" has changed while the call asked its client. Call again.`
  return new ToolgateError('invalid_params', message)
}
