import type { Id, Message } from '../../protocol/message.ts'
import { withId } from '../../protocol/read.ts'

/** Id of an initialize that a process is sent before its client is there. */
export const GREETING = 'toolgate:initialize'

/** The two halves of such an initialize, which meet once: the client's request, the tool's answer. */
export class Greeting {
  #asked: Id | undefined
  #answer: Message | undefined

  /** The client sends its own, under this id. Its answer, where the tool has given it. */
  ask(id: Id): Message | undefined {
    this.#asked = id
    return this.#met()
  }

  /** The tool has answered. The client's answer, where it has asked. */
  answer(message: Message): Message | undefined {
    this.#answer = message
    return this.#met()
  }

  #met(): Message | undefined {
    if (this.#asked === undefined || this.#answer === undefined) return undefined
    return withId(this.#answer, this.#asked)
  }
}
