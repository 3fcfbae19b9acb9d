import { compose } from '../../protocol/composed-message.ts'
import { exactly } from '../../protocol/exactly.ts'
import type { Id, JsonObject, Message } from '../../protocol/message.ts'
import { isObject } from '../../protocol/object.ts'
import { notificationMessage, withId, withMeta } from '../../protocol/read.ts'
import { relatedTo } from '../tasks/ids.ts'
import { withOwnTask } from './inward.ts'
import type { ToolLink } from './tool-link.ts'

interface Question {
  readonly link: ToolLink
  readonly id: Id
  readonly token: Id | undefined
}

/** A message on its way to the tool that it is for. */
export interface Inward {
  readonly link: ToolLink
  readonly message: Message
}

/**
 * What the tools of one session have asked its client, under ids that no two of them share; a
 * progress token of theirs becomes the same id.
 */
export class Asked {
  readonly #open = new Map<Id, Question>()
  #last = 0

  /** The request as the client gets it. */
  outward(link: ToolLink, request: Message): Message {
    const id = `${link.tool.name}:${++this.#last}`
    const token = tokenOf(request)
    this.#open.set(id, { link, id: request.id as Id, token })
    if (this.#open.size > MOST) this.#open.delete(this.#open.keys().next().value as Id)
    const renamed = withId(request, id)
    return token === undefined ? renamed : withMeta(renamed, { progressToken: id })
  }

  /** A client's response, for the tool that asked; undefined where nobody waits for it. */
  answer(response: Message): Inward | undefined {
    const question = this.#open.get(response.id as Id)
    if (question === undefined) return undefined
    this.#open.delete(response.id as Id)
    const { link, id } = question
    return { link, message: aboutOwnTask(withId(response, id), link.tool.name) }
  }

  /** A client's progress with what it was asked. */
  progress(notification: Message): Inward | undefined {
    const { params } = notification.json()
    if (!isObject(params)) return undefined
    const question = this.#open.get(params.progressToken as Id)
    if (question?.token === undefined) return undefined
    const message = notificationMessage('notifications/progress', {
      ...params,
      progressToken: question.token,
    })
    return { link: question.link, message }
  }

  /** The tool takes a question back: the notification as the client gets it. */
  withdraw(link: ToolLink, cancelled: Message): Message | undefined {
    const { params } = cancelled.json()
    if (!isObject(params)) return undefined
    for (const [id, question] of this.#open) {
      if (question.link !== link || question.id !== params.requestId) continue
      this.#open.delete(id)
      return notificationMessage('notifications/cancelled', { ...params, requestId: id })
    }
    return undefined
  }

  /** The tool is gone: what it had asked is not waited for any more. */
  drop(link: ToolLink, reason: string): Message[] {
    const left: Message[] = []
    for (const [requestId, question] of this.#open) {
      if (question.link !== link) continue
      this.#open.delete(requestId)
      left.push(notificationMessage('notifications/cancelled', { requestId, reason }))
    }
    return left
  }
}

/** A tool's own connection bounds what is open; this bounds what its client never answers. */
const MOST = 1024

/** The same response where it is about no task. */
function aboutOwnTask(response: Message, tool: string): Message {
  const { result } = response.json()
  if (!isObject(result) || relatedTo(result) === undefined) return response
  const written = exactly(response)
  const { kind, id } = response
  const own = withOwnTask(written.result as JsonObject, tool)
  return compose({ kind, ...(id !== undefined && { id }) }, { ...written, result: own })
}

function tokenOf(request: Message): Id | undefined {
  const { params } = request.json()
  const meta = isObject(params) ? params._meta : undefined
  const token = isObject(meta) ? meta.progressToken : undefined
  return typeof token === 'string' || typeof token === 'number' ? token : undefined
}
