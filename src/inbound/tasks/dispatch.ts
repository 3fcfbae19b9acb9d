import type { Call } from '../../call/call.ts'
import type { Link } from '../../call/link.ts'
import type { Config } from '../../config/config.ts'
import type { Dispatch } from '../../dispatch/dispatch.ts'
import type { Message } from '../../protocol/message.ts'
import { META } from '../../protocol/meta.ts'
import { withMeta } from '../../protocol/read.ts'
import { withoutTasks } from '../../protocol/tasks.ts'
import type { Telemetry } from '../../telemetry/telemetry.ts'
import { recorded } from '../recorded.ts'
import { unknownMethod } from '../unknown-method.ts'
import { answerGiven, noticeGiven } from './given.ts'
import { TaskMarks } from './marks.ts'
import { declaresTasks } from './need-tasks.ts'
import { namesTask, requestTaken } from './taken.ts'

export interface TaskDispatchParts {
  readonly config: Pick<Config, 'keys' | 'stateKey'>
  readonly dispatch: Dispatch
  readonly telemetry: Telemetry
}

/**
 * The waist, in which a task is its caller's alone: a process that callers share gives each task to
 * whoever knows its id, so each caller is given ids that are of no use to another. Where a process
 * ends with its request, it is not told that its client would wait for a task.
 */
export class TaskDispatch implements Dispatch {
  readonly #parts: TaskDispatchParts
  readonly #marks: TaskMarks

  constructor(parts: TaskDispatchParts) {
    this.#parts = parts
    this.#marks = new TaskMarks(parts.config.stateKey)
  }

  open(link: Link): Promise<void> {
    return this.#parts.dispatch.open(link)
  }

  call(call: Call): Promise<Message> {
    if (this.#isShared(call.link)) return this.#callShared(call)
    return this.#parts.dispatch.call(endsWithIt(call) ? withoutOffer(call) : call)
  }

  tell(link: Link, message: Message): void {
    this.#parts.dispatch.tell(link, message)
  }

  close(link: Link, reason: string): void {
    this.#parts.dispatch.close(link, reason)
  }

  #isShared({ tool }: Link): boolean {
    return tool.mode === 'daemon' && this.#parts.config.keys.length > 0
  }

  async #callShared(call: Call): Promise<Message> {
    const { dispatch, telemetry } = this.#parts
    const { link, request } = call
    const give = (id: string) => this.#marks.give(id, link)
    if (!namesTask(request)) return answerGiven(await dispatch.call(call), request.method, give)
    const looked = await recorded(telemetry, call, () => {
      const next = requestTaken(request, link, (given) => this.#marks.take(given, link))
      return next === undefined ? { answer: unknownMethod(request) } : { next }
    })
    if ('answer' in looked) return looked.answer
    const answer = await dispatch.call(withRequest(call, looked.next, give))
    return answerGiven(answer, request.method, give)
  }
}

/** The process is there for this one request. */
function endsWithIt({ link }: Call): boolean {
  const { kind, caller, tool } = link
  return kind === 'request' && caller.anonymous && tool.mode === 'launcher' && declaresTasks(link)
}

function withoutOffer(call: Call): Call {
  const capabilities = withoutTasks(call.link.capabilities)
  return withRequest(call, withMeta(call.request, { [META.clientCapabilities]: capabilities }))
}

function withRequest(call: Call, request: Message, give?: (id: string) => string): Call {
  const { link, trace, signal } = call
  return {
    link,
    request,
    trace,
    ...(signal !== undefined && { signal }),
    ...(call.ask !== undefined && { ask: call.ask.bind(call) }),
    notify: (message) => call.notify(give === undefined ? message : noticeGiven(message, give)),
  }
}
