import type { Call } from '../../call/call.ts'
import { ToolgateError } from '../../errors.ts'
import type { Id, JsonObject, Message } from '../../protocol/message.ts'
import { META } from '../../protocol/meta.ts'
import { isObject } from '../../protocol/object.ts'
import { notificationMessage } from '../../protocol/read.ts'
import { within } from '../../within.ts'
import { needTasks } from '../tasks/need-tasks.ts'
import { byTool, TASKS, URIS } from './below.ts'
import { Changes } from './changes.ts'
import type { Directories } from './directories.ts'
import { paramsOf } from './inward.ts'
import { KINDS } from './lists.ts'
import { ToolListen, type ToolListenParts } from './tool-listen.ts'

export interface ListenParts extends Pick<ToolListenParts, 'dispatch' | 'holdListen'> {
  readonly directories: Directories
}

/**
 * A modern client's `subscriptions/listen` to all tools: changes of lists are told from the
 * directory, what concerns a resource or task comes from a listen on its tool. Never resolves;
 * rejects with `cancelled` when the client leaves, and with `missing_capability`.
 */
export async function listen(parts: ListenParts, call: Call): Promise<Message> {
  const { directories } = parts
  const { caller } = call.link
  const signal = call.signal ?? new AbortController().signal
  const asked = paramsOf(call.request).notifications
  const filter = isObject(asked) ? asked : {}
  if (filter[TASKS] !== undefined) needTasks(call.link)
  const directory = directories.now(caller)
  const early = new Early()
  let say = (message: Message): void => early.keep(message)
  const wanted = ALL.filter(([flag]) => filter[flag] === true)
  const changes = new Changes(directory)
  const below = byTool(directory, filter).map((of) => {
    const now = () => directories.now(caller)
    return new ToolListen({ ...parts, call, signal, directory: now, say: (m) => say(m) }, of)
  })
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
    for (const message of early.all()) say(message)
    return await left(signal)
  } finally {
    forget()
    say = () => {}
  }
}

/** What is said before the acknowledgement, which has to be first: the latest of each thing. */
class Early {
  readonly #kept = new Map<string, Message>()

  keep(message: Message): void {
    const { uri, taskId } = paramsOf(message)
    const key = JSON.stringify([message.method, uri, taskId])
    if (this.#kept.size < MOST_EARLY || this.#kept.has(key)) this.#kept.set(key, message)
  }

  all(): Iterable<Message> {
    return this.#kept.values()
  }
}

const ALL = [
  ['toolsListChanged', KINDS.functions.changed],
  ['promptsListChanged', KINDS.prompts.changed],
  ['resourcesListChanged', KINDS.resources.changed],
] as const

const MOST_EARLY = 1024

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
