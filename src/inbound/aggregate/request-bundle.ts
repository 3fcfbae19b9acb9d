import type { Call } from '../../call/call.ts'
import type { Link } from '../../call/link.ts'
import type { Dispatch } from '../../dispatch/dispatch.ts'
import type { Id, Message } from '../../protocol/message.ts'
import { resultMessage } from '../../protocol/read.ts'
import type { Telemetry } from '../../telemetry/telemetry.ts'
import { listed, unknownMethod } from './answers.ts'
import type { Bundle } from './bundle.ts'
import type { Directories } from './directories.ts'
import { type FoundTool, findTool } from './find-tool.ts'
import { listen } from './listen.ts'
import { kindOf } from './lists.ts'
import { answerOutward } from './outward.ts'
import { Passed } from './passed.ts'
import { recorded } from './record.ts'
import { withMarkedState, withOwnState } from './state.ts'
import { type Listener, ToolLink } from './tool-link.ts'

export interface RequestBundleParts {
  /** The waist, where each tool is a tool. */
  readonly dispatch: Dispatch
  readonly directories: Directories
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
    const found = await recorded(this.#parts.telemetry, call, () => this.#look(call.request))
    return 'kind' in found ? found : this.#pass(call, found)
  }

  /** Nothing that a client says beside its one request is for a tool. */
  tell(): void {}

  /** The one link ends with its call, which is given up with it. */
  close(): void {}

  /** The answer, or the tool that has it. */
  async #look(request: Message): Promise<Message | FoundTool> {
    const { directories } = this.#parts
    const { caller, era } = this.#outer
    if (request.method === 'ping' && era === 'legacy') return resultMessage(request.id as Id, {})
    const settled = async () => {
      await directories.settled(caller)
      return directories.now(caller)
    }
    const kind = kindOf(request.method)
    if (kind !== undefined) return listed(await settled(), kind, request, era)
    return (await findTool(directories.now(caller), request, settled)) ?? unknownMethod(request)
  }

  async #pass(call: Call, { tool, request: own, directory }: FoundTool): Promise<Message> {
    const { dispatch } = this.#parts
    const references = directory.references(tool.name)
    const link = new ToolLink(this.#outer, tool, references, NOBODY)
    const modern = this.#outer.era === 'modern'
    const request = modern ? withOwnState(own, tool) : own
    const signal = call.signal ?? new AbortController().signal
    await dispatch.open(link)
    try {
      const answer = await dispatch.call(new Passed(call, link, request, signal))
      const outward = answerOutward(answer, request.method ?? '', references)
      return modern ? withMarkedState(outward, tool) : outward
    } finally {
      dispatch.close(link, 'answered')
    }
  }
}

const NOBODY: Listener = { said() {}, gone() {} }
