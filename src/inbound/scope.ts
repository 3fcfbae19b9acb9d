import { ToolgateError } from '../errors.ts'
import type { JsonObject, Message } from '../protocol/message.ts'
import type { Declaration } from '../tool/declaration.ts'

/**
 * On a tool's own endpoint a function is called by its own name. A name that belongs to another
 * tool is refused here, before it reaches a process. Throws `out_of_scope`.
 */
export function checkScope(
  tool: Declaration,
  message: Message,
  find: (tool: string) => unknown,
): void {
  if (message.method !== 'tools/call') return
  const name = (message.json().params as JsonObject | undefined)?.name
  if (typeof name !== 'string') return
  const mark = name.indexOf('__')
  if (mark <= 0) return
  const other = name.slice(0, mark)
  if (other === tool.name || find(other) === undefined) return
  const what = `This endpoint is the tool "${tool.name}"; "${other}" is another one.`
  throw new ToolgateError('out_of_scope', what)
}
