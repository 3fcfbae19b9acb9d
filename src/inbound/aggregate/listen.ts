import type { Call } from '../../call/call.ts'
import type { Dispatch } from '../../dispatch/dispatch.ts'
import { ToolgateError } from '../../errors.ts'
import type { Id, JsonObject, Message } from '../../protocol/message.ts'
import { META } from '../../protocol/meta.ts'
import { isObject } from '../../protocol/object.ts'
import { notificationMessage } from '../../protocol/read.ts'
import { within } from '../../within.ts'
import { byTool, TASKS, URIS } from './below.ts'
import { Changes } from './changes.ts'
import type { Directories } from './directories.ts'
import { paramsOf } from './inward.ts'
import { KINDS } from './lists.ts'
import { ToolListen } from './tool-listen.ts'

export interface ListenParts {
  readonly dispatch: Dispatch
  readonly directories: Directories
}

/**
 * A modern client's `subscriptions/listen` to all tools: changes of lists are told from the
 * directory, what concerns a resource or task comes from a listen on its tool. Never resolves;
 * rejects with `cancelled` when the client leaves.
 */
export async function listen({ dispatch, directories }: ListenParts, call: Call): Promise<Message> {
  const { caller } = call.link
  const signal = call.signal ?? new AbortController().signal
  const asked = paramsOf(call.request).notifications
  const filter = isObject(asked) ? asked : {}
  const directory = directories.now(caller)
  const early: Message[] = []
  let say = (message: Message): void => {
    early.push(message)
  }
  const wanted = ALL.filter(([flag]) => filter[flag] === true)
  const changes = new Changes(directory)
  const parts = {
    dispatch,
    call,
    signal,
    directory: () => directories.now(caller),
    say: (message: Message) => say(message),
  }
  const below = byTool(directory, filter).map((of) => new ToolListen(parts, of))
  const forget = directories.onChange(() => {
    const methods = changes.from(directories.now(caller))
    for (const [, method] of wanted) if (methods.has(method)) say(tagged(call, method))
    for (const each of below) each.renew()
  })
  try {
    await within(Promise.all(below.map((each) => each.acknowledged)), PATIENCE)
    const notifications: JsonObject = Object.fromEntries(wanted.map(([flag]) => [flag, true]))
    for (const field of [URIS, TASKS] as const) {
      const honoured = below.flatMap((each) => each.honoured(field))
      if (honoured.length > 0) notifications[field] = honoured
    }
    call.notify(tagged(call, 'notifications/subscriptions/acknowledged', { notifications }))
    say = (message) => call.notify(message)
    for (const message of early) say(message)
    return await left(signal)
  } finally {
    forget()
    say = () => {}
  }
}

const ALL = [
  ['toolsListChanged', KINDS.functions.changed],
  ['promptsListChanged', KINDS.prompts.changed],
  ['resourcesListChanged', KINDS.resources.changed],
] as const

/** Milliseconds that the acknowledgement waits for those of the tools. */
const PATIENCE = 2000

function tagged({ request }: Call, method: string, params: JsonObject = {}): Message {
  return notificationMessage(method, {
    ...params,
    _meta: { [META.subscriptionId]: request.id as Id },
  })
}

function left(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const leave = () => reject(new ToolgateError('cancelled', 'The client left.'))
    if (signal.aborted) leave()
    else signal.addEventListener('abort', leave, { once: true })
  })
}
