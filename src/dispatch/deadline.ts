import type { Call } from '../call/call.ts'
import type { Config } from '../config/config.ts'
import { ToolgateError } from '../errors.ts'
import type { Connection } from '../outbound/connection.ts'
import type { Lease } from '../pool/lease.ts'
import type { Message } from '../protocol/message.ts'

export interface Awaited {
  readonly call: Call
  readonly connection: Connection
  readonly lease: Lease
  readonly config: Config
}

/**
 * The tool's answer, or an error at the call's time limit or when its caller gives it up. The
 * answer never waits for what has to be ended afterwards.
 */
export async function awaitAnswer(parts: Awaited): Promise<Message> {
  const { call, connection } = parts
  const limit = limitOf(parts)
  const since = performance.now()
  const asked = connection.asking(call.link).total
  let timer: NodeJS.Timeout
  const check = () => {
    const { total, open } = connection.asking(call.link)
    // Time in which the client is asked something is the client's, and has its own budget.
    const left = limit.milliseconds - (performance.now() - since - (total - asked))
    const askLeft = open === undefined ? Number.POSITIVE_INFINITY : parts.config.timeouts.ask - open
    if (askLeft <= 0) expire(parts, askLimit(parts))
    else if (open !== undefined) timer = setTimeout(check, Math.ceil(Math.min(askLeft, ASK_LOOK)))
    else if (left > 0) timer = setTimeout(check, Math.ceil(left))
    else expire(parts, limit)
  }
  timer = setTimeout(check, limit.milliseconds)
  const giveUp = () => connection.cancel(call, new ToolgateError('cancelled', 'The caller left.'))
  call.signal?.addEventListener('abort', giveUp, { once: true })
  try {
    if (call.signal?.aborted === true) throw new ToolgateError('cancelled', 'The caller left.')
    return await connection.call(call)
  } finally {
    clearTimeout(timer)
    call.signal?.removeEventListener('abort', giveUp)
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

function askLimit({ config }: Awaited): Limit {
  return { milliseconds: config.timeouts.ask, name: 'timeouts.ask' }
}

function expire({ call, connection, lease }: Awaited, { milliseconds, name }: Limit): void {
  const message = `The call took longer than ${milliseconds} ms (${name}).`
  const data = { limit: name, milliseconds }
  connection.cancel(call, new ToolgateError('timeout', message, { data }))
  lease.doubt(connection)
  void connection.alive(SILENCE).then((alive) => {
    if (alive) lease.trust(connection)
    else lease.condemn(connection, `it answered nothing after a call ran out of time`)
  })
}

/** Milliseconds in which a tool has to show that it still listens; it is dead a second after T. */
const SILENCE = 900
/** Milliseconds between two looks at a call that waits for its client. */
const ASK_LOOK = 250
