import type { Call } from '../../call/call.ts'
import type { Link } from '../../call/link.ts'
import { ToolgateError } from '../../errors.ts'
import type { Id, Message } from '../../protocol/message.ts'
import { resultMessage } from '../../protocol/read.ts'
import type { Telemetry } from '../../telemetry/telemetry.ts'
import { type Looked, recorded } from '../recorded.ts'
import { unknownMethod } from '../unknown-method.ts'
import { listed } from './answers.ts'
import { askWhileServed } from './ask-while-served.ts'
import type { Bundle } from './bundle.ts'
import { type FoundTool, findTool } from './find-tool.ts'
import { type ListenParts, listen } from './listen.ts'
import { kindOf } from './lists.ts'
import { answerOutward } from './outward.ts'
import { Passed } from './passed.ts'
import { withMarkedState, withOwnState } from './state.ts'
import { type Listener, ToolLink } from './tool-link.ts'

export interface RequestBundleParts extends ListenParts {
  readonly telemetry: Telemetry
}

/** Behind a link of one request, of either era: at most one link, to the one tool it is for. */
export class RequestBundle implements Bundle {
  readonly #parts: RequestBundleParts
  readonly #outer: Link

  constructor(parts: RequestBundleParts, outer: Link) {
    this.#parts = parts
    this.#outer = outer
  }

  async call(call: Call): Promise<Message> {
    if (call.request.method === 'subscriptions/listen' && this.#outer.era === 'modern') {
      return listen(this.#parts, call)
    }
    const looked = await recorded(this.#parts.telemetry, call, () => this.#look(call.request))
    return 'answer' in looked ? looked.answer : this.#pass(call, looked.next)
  }

  /** Nothing that a client says beside its one request is for a tool. */
  tell(): void {}

  /** The one link ends with its call, which is given up with it. */
  close(): void {}

  /** The answer, or the tool that has it. */
  async #look(request: Message): Promise<Looked<FoundTool>> {
    const { directories } = this.#parts
    const { caller, era } = this.#outer
    if (request.method === 'ping' && era === 'legacy') {
      return { answer: resultMessage(request.id as Id, {}) }
    }
    const later = () => directories.settled(caller)
    const kind = kindOf(request.method)
    if (kind !== undefined) return { answer: listed(await later(), kind, request, era) }
    const next = await findTool({ now: directories.now(caller), later }, request)
    return next === undefined ? { answer: unknownMethod(request) } : { next }
  }

  async #pass(call: Call, { tool, request: own, directory }: FoundTool): Promise<Message> {
    const { dispatch, directories } = this.#parts
    const references = directory.references(tool.name)
    const link = new ToolLink(this.#outer, tool, references, NOBODY)
    const modern = this.#outer.era === 'modern'
    const request = modern ? withOwnState(own, tool) : own
    const signal = call.signal ?? new AbortController().signal
    // Its tool may have been waited for, and would be started for nobody.
    if (signal.aborted) throw new ToolgateError('cancelled', 'The caller left.')
    await dispatch.open(link)
    try {
      const ask = askWhileServed(directories, call, tool)
      const answer = await dispatch.call(new Passed(call, link, request, signal, ask))
      const outward = answerOutward(answer, request.method ?? '', references)
      return modern ? withMarkedState(outward, tool) : outward
    } finally {
      dispatch.close(link, 'answered')
    }
  }
}

const NOBODY: Listener = { said() {}, gone() {} }
