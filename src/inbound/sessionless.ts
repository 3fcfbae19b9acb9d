import type { Caller } from '../call/caller.ts'
import type { Message } from '../protocol/message.ts'
import type { Declaration } from '../tool/declaration.ts'
import type { Visit } from './door.ts'
import { EventStore } from './event-store.ts'
import type { PostedLink } from './posted-link.ts'
import { Reply, run } from './reply.ts'
import { SessionStream } from './session-stream.ts'
import { newSessionId } from './sessions.ts'
import type { WireParts } from './wire.ts'

/** Answers a request that came without a session; the tool's handshake is supplied by the pool. */
export async function answerAlone(
  parts: WireParts,
  tool: Declaration,
  visit: Visit,
  request: Message,
): Promise<void> {
  const { config, dispatch } = parts
  const link = new Alone(tool, visit)
  const reply = new Reply(link, request, visit, config.sizes.line)
  try {
    await dispatch.open(link)
    await run(parts, reply)
  } catch (thrown) {
    reply.fail(thrown)
  } finally {
    dispatch.close(link, 'answered')
  }
}

/** The link of one request: nothing is kept, and nothing is asked of its client. */
class Alone implements PostedLink {
  readonly id = newSessionId()
  readonly kind = 'request'
  readonly era = 'legacy'
  readonly version = ''
  readonly capabilities = {}
  readonly tool: Declaration
  readonly caller: Caller
  readonly traceparent?: string

  constructor(tool: Declaration, { caller, trace }: Visit) {
    this.tool = tool
    this.caller = caller
    if (trace.traceparent !== undefined) this.traceparent = trace.traceparent
  }

  openStream(): SessionStream {
    return new SessionStream(1, new EventStore(0, 0))
  }

  deliver(): void {}

  pressure(): undefined {}

  ended(): void {}

  begin(): void {}

  finish(): void {}

  connect(): () => void {
    return () => {}
  }
}
