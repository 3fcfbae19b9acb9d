import type { Config } from '../config/config.ts'
import { ToolgateError } from '../errors.ts'
import type { Connection } from '../outbound/connection.ts'
import type { Lease } from '../pool/lease.ts'
import type { Message } from '../protocol/message.ts'
import { isEndless } from './endless.ts'
import type { Traced } from './traced.ts'

export interface Awaited {
  readonly call: Traced
  readonly connection: Connection
  readonly lease: Lease
  readonly config: Config
}

/**
 * The tool's answer, or an error at the call's time limit or when its caller gives it up. The
 * answer never waits for what has to be ended afterwards. A listen has no time limit.
 */
export async function awaitAnswer(parts: Awaited): Promise<Message> {
  const { call, connection } = parts
  const clock = isEndless(call) ? undefined : new Clock(parts)
  const giveUp = () => connection.cancel(call, new ToolgateError('cancelled', 'The caller left.'))
  call.signal?.addEventListener('abort', giveUp, { once: true })
  try {
    if (call.signal?.aborted === true) throw new ToolgateError('cancelled', 'The caller left.')
    return await connection.call(call)
  } finally {
    clock?.stop()
    call.signal?.removeEventListener('abort', giveUp)
  }
}

/** Looks at the limits of one call when one of them may have passed. */
class Clock {
  readonly #parts: Awaited
  readonly #limit: Limit
  readonly #since = performance.now()
  /** Time for which the link had been asked things before. */
  readonly #before: number
  #timer: NodeJS.Timeout

  constructor(parts: Awaited) {
    const { call, connection } = parts
    this.#parts = parts
    this.#limit = limitOf(parts)
    this.#before = connection.asking(call.link).total
    this.#timer = setTimeout(() => this.#look(), this.#limit.milliseconds)
    call.clock = this
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#parts.call.clock = undefined
  }

  turned(): void {
    this.#look()
  }

  #look(): void {
    clearTimeout(this.#timer)
    const { call, connection, config } = this.#parts
    const own = call.asking()
    const tools = connection.asking(call.link)
    // Time in which the client is asked something is the client's, and has its own budget.
    const asked = own.total + tools.total - this.#before
    const left = this.#limit.milliseconds - (performance.now() - this.#since - asked)
    const patience = config.timeouts.ask - Math.max(own.open ?? 0, tools.open ?? 0)
    if (patience <= 0) abandon(this.#parts, own.open !== undefined)
    else if (tools.open !== undefined) this.#wait(Math.min(patience, ASK_LOOK))
    else if (own.open !== undefined) this.#wait(patience)
    else if (left > 0) this.#wait(left)
    else expire(this.#parts, this.#limit)
  }

  #wait(milliseconds: number): void {
    this.#timer = setTimeout(() => this.#look(), Math.ceil(milliseconds))
  }
}

interface Limit {
  readonly milliseconds: number
  /** What the limit is called, for the one who has to change it. */
  readonly name: string
}

/** A tool's own `timeout` wins; the handshake has the budget of a start. */
function limitOf({ call, config }: Awaited): Limit {
  if (call.request.method === 'initialize') {
    return { milliseconds: config.timeouts.start, name: 'timeouts.start' }
  }
  const own = call.link.tool.timeout
  if (own !== null) return { milliseconds: own, name: `timeout of ${call.link.tool.name}` }
  return { milliseconds: config.timeouts.call, name: 'timeouts.call' }
}

/** The tool may hang: it has to show that it does not. */
function expire(parts: Awaited, { milliseconds, name }: Limit): void {
  const message = `The call took longer than ${milliseconds} ms (${name}).`
  cut(parts, message, { milliseconds, name })
  suspect(parts)
}

/** What was asked through the call itself is asked of its client alone, which is to blame then. */
function abandon(parts: Awaited, alone: boolean): void {
  const name = 'timeouts.ask'
  const milliseconds = parts.config.timeouts.ask
  const message = `The client did not answer what it was asked in ${milliseconds} ms (${name}).`
  cut(parts, message, { milliseconds, name })
  if (alone) parts.lease.abandon(parts.connection, 'its client did not answer what it was asked')
  else suspect(parts)
}

function cut({ call, connection }: Awaited, message: string, { milliseconds, name }: Limit): void {
  const data = { limit: name, milliseconds }
  connection.cancel(call, new ToolgateError('timeout', message, { data }))
}

function suspect({ connection, lease }: Awaited): void {
  lease.doubt(connection)
  void connection.alive(SILENCE).then((alive) => {
    if (alive) lease.trust(connection)
    else lease.condemn(connection, 'it answered nothing after a call ran out of time')
  })
}

/** Milliseconds in which a tool has to show that it still listens; it is dead a second after T. */
const SILENCE = 900
/** Milliseconds between two looks at a call that waits for its client. */
const ASK_LOOK = 250
