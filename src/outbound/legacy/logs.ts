import type { Link } from '../../call/link.ts'
import { isSevere } from '../../protocol/log-level.ts'
import type { JsonObject, Message } from '../../protocol/message.ts'
import { notificationMessage } from '../../protocol/read.ts'
import type { Logger } from '../../telemetry/log.ts'
import type { Requests } from '../requests.ts'
import { toolLog } from '../tool-log.ts'
import type { SharedHow } from './how.ts'
import { unmarked, type Whose } from './whose.ts'

/**
 * The logs of a shared legacy process: each goes to the client whose call it belongs to, where
 * that is known and wanted, else to the gateway's log.
 */
export class Logs {
  readonly #how: SharedHow
  readonly #requests: Requests
  readonly #whose: Whose
  readonly #toolLog: (params: JsonObject) => void
  #level: string | undefined

  constructor(how: SharedHow, requests: Requests, whose: Whose, log: Logger) {
    this.#how = how
    this.#requests = requests
    this.#whose = whose
    this.#toolLog = toolLog(log)
  }

  /** A call of this link begins: the process is told its level, where it has another. */
  begin({ logLevel }: Link, capabilities: JsonObject): void {
    const { exclusive, correlated } = this.#how
    // Our own child logs everything, because its calls differ in what they want.
    if (!exclusive || correlated || logLevel === undefined || logLevel === this.#level) return
    if (capabilities.logging === undefined) return
    this.#level = logLevel
    void this.#requests.quietly('logging/setLevel', { level: logLevel })
  }

  receive(message: Message): void {
    const { correlated } = this.#how
    const params = unmarked(message) ?? {}
    const call = this.#whose.call(message)
    // A legacy client sees what a tool logs by itself until it names a level; a modern one nothing.
    const least = correlated && call?.link.era === 'legacy' ? 'info' : undefined
    if (call === undefined || !wants(call.link, params.level, least)) this.#toolLog(params)
    else call.notify(correlated ? notificationMessage(MESSAGE, params) : message)
  }
}

const MESSAGE = 'notifications/message'

function wants({ logLevel }: Link, level: unknown, otherwise: string | undefined): boolean {
  const least = logLevel ?? otherwise
  return least !== undefined && isSevere(level, least)
}
