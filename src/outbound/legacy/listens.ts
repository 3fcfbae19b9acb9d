import type { Call } from '../../call/call.ts'
import type { Link } from '../../call/link.ts'
import { ToolgateError } from '../../errors.ts'
import type { Id, JsonObject, Message } from '../../protocol/message.ts'
import { META } from '../../protocol/meta.ts'
import { isObject } from '../../protocol/object.ts'
import { notificationMessage, withMeta } from '../../protocol/read.ts'
import { idInUse } from '../messages.ts'
import type { Requests } from '../requests.ts'
import { type Listening, MOST_SUBSCRIPTIONS, type Subscriptions } from '../subscriptions.ts'
import { isUri } from '../uri.ts'

/** The `subscriptions/listen` of modern clients, kept here: a legacy tool has none. */
export class Listens {
  readonly #requests: Requests
  readonly #subscriptions: Subscriptions
  readonly #goodbye: (id: Id) => Message
  readonly #open = new Map<Link, Listen>()
  /** What the tool is being told, for all who listen to it as well. */
  readonly #subscribing = new Map<string, Promise<boolean>>()

  /** `goodbye`: the answer to a listen that ends without anything having gone wrong. */
  constructor(requests: Requests, subscriptions: Subscriptions, goodbye: (id: Id) => Message) {
    this.#requests = requests
    this.#subscriptions = subscriptions
    this.#goodbye = goodbye
  }

  /** How many are open. */
  get size(): number {
    return this.#open.size
  }

  /**
   * Resolves when it has ended; rejects with what else ends it. Throws `invalid_params`.
   *
   * @param capabilities of the tool: what it does not offer is not honoured
   */
  async open(call: Call, capabilities: JsonObject): Promise<Message> {
    const { link, request } = call
    if (this.#open.has(link)) throw idInUse(request.id as Id)
    const filter = filterOf(request)
    const listen = new Listen(call)
    this.#open.set(link, listen)
    this.#subscriptions.listens.set(link, listen)
    void this.#begin(listen, filter, capabilities)
    try {
      return await listen.ended
    } finally {
      this.#open.delete(link)
      this.#subscriptions.listens.delete(link)
      for (const uri of this.#subscriptions.leave(link)) {
        void this.#subscriptions.tell(this.#requests, 'resources/unsubscribe', uri)
      }
    }
  }

  /** Ends that of this call, or of this link. */
  end(of: Call | Link, reason: Error): void {
    for (const { call, fail } of this.#open.values()) {
      if (call === of || call.link === of) fail(reason)
    }
  }

  /** The process is gone; without a reason it was ended as it should be. */
  endAll(reason?: Error): void {
    for (const listen of this.#open.values()) {
      if (reason === undefined) listen.finish(this.#goodbye(listen.id))
      else listen.fail(reason)
    }
  }

  async #begin(listen: Listen, filter: Filter, capabilities: JsonObject): Promise<void> {
    const offers = (what: string, part: string) => {
      const capability = capabilities[what]
      return isObject(capability) && capability[part] === true
    }
    const { honoured } = listen
    for (const what of ['tools', 'prompts', 'resources'] as const) {
      const name = `${what}ListChanged` as const
      if (filter[name] === true && offers(what, 'listChanged')) honoured[name] = true
    }
    const { resourceSubscriptions: uris } = filter
    if (uris !== undefined && offers('resources', 'subscribe')) {
      const taken = await Promise.all(uris.map((uri) => this.#join(listen.call.link, uri)))
      honoured.resourceSubscriptions = uris.filter((_, at) => taken[at])
    }
    if (this.#open.get(listen.call.link) === listen) listen.acknowledge()
  }

  async #join(link: Link, uri: string): Promise<boolean> {
    if (this.#subscriptions.join(link, uri)) {
      const subscribed = this.#subscriptions.tell(this.#requests, 'resources/subscribe', uri)
      this.#subscribing.set(uri, subscribed)
      void subscribed.then(() => this.#subscribing.delete(uri))
    }
    const taken = (await this.#subscribing.get(uri)) ?? true
    if (!taken) this.#subscriptions.part(link, uri)
    return taken
  }
}

/** One listen; what it is told carries its id. */
class Listen implements Listening {
  readonly call: Call
  readonly id: Id
  readonly honoured: Filter = {}
  readonly ended: Promise<Message>
  readonly finish: (answer: Message) => void
  readonly fail: (reason: Error) => void
  /** News from before the acknowledgement, which has to be the first; the latest of each kind. */
  #early: Map<string, Message> | undefined = new Map()

  constructor(call: Call) {
    const { promise, resolve, reject } = Promise.withResolvers<Message>()
    this.id = call.request.id as Id
    this.ended = promise
    this.finish = resolve
    this.fail = reject
    this.call = call
  }

  changed(message: Message): void {
    if (this.honoured[FILTERS[message.method as ListChanged]] === true) this.hear(message)
  }

  updated(message: Message): void {
    this.hear(message)
  }

  acknowledge(): void {
    const early = this.#early?.values() ?? []
    this.#early = undefined
    const params = { notifications: this.honoured }
    this.hear(notificationMessage('notifications/subscriptions/acknowledged', params))
    for (const message of early) this.hear(message)
  }

  hear(message: Message): void {
    if (this.#early === undefined) {
      this.call.notify(withMeta(message, { [META.subscriptionId]: this.id }))
      return
    }
    const { method = '' } = message
    const { params } = message.json()
    const uri = isObject(params) ? params.uri : undefined
    // What is kept is bounded: all that counts of it is what changed.
    this.#early.set(
      `${method} ${uri}`,
      notificationMessage(method, uri === undefined ? {} : { uri }),
    )
  }
}

interface Filter {
  toolsListChanged?: boolean
  promptsListChanged?: boolean
  resourcesListChanged?: boolean
  resourceSubscriptions?: readonly string[]
}

const FILTERS = {
  'notifications/tools/list_changed': 'toolsListChanged',
  'notifications/prompts/list_changed': 'promptsListChanged',
  'notifications/resources/list_changed': 'resourcesListChanged',
} as const

type ListChanged = keyof typeof FILTERS

/** What is asked for, each resource once. Throws `invalid_params`. */
function filterOf(request: Message): Filter {
  const { params } = request.json()
  const asked = isObject(params) ? params.notifications : undefined
  if (!isObject(asked)) throw refusal('"notifications" must be an object.')
  const { resourceSubscriptions: uris } = asked
  if (uris === undefined) return asked
  if (!Array.isArray(uris) || uris.length > MOST_SUBSCRIPTIONS || !uris.every(isUri)) {
    throw refusal(`"resourceSubscriptions" must be a list of at most ${MOST_SUBSCRIPTIONS} uris.`)
  }
  return { ...asked, resourceSubscriptions: [...new Set(uris)] }
}

function refusal(message: string): ToolgateError {
  return new ToolgateError('invalid_params', message)
}
