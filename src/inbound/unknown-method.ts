import type { Id, Message } from '../protocol/message.ts'
import { errorMessage } from '../protocol/read.ts'

/** The answer to a method that neither we nor a tool of ours has, as far as can be told. */
export function unknownMethod({ id, method }: Message): Message {
  const message = `There is no method "${method?.slice(0, 128)}" here.`
  return errorMessage(id as Id, -32601, message)
}
