import { setTimeout as delay } from 'node:timers/promises'
import type { InputRequest, InputRequests } from '../../call/call.ts'
import { ToolgateError } from '../../errors.ts'
import { missingCapabilities } from '../../protocol/asks.ts'
import { exactly } from '../../protocol/exactly.ts'
import type { Id, JsonObject, Message } from '../../protocol/message.ts'
import { isObject } from '../../protocol/object.ts'
import { withId } from '../../protocol/read.ts'
import { withInput } from '../with-input.ts'
import { legacyResult } from './legacy-result.ts'
import { refuseAsk } from './may-ask.ts'
import type { OpenCall } from './open-call.ts'

/**
 * A legacy client's call of a modern tool: what the tool asks for in a result is asked of the
 * client, and the request sent again, until the result is complete. Rejects with what `send` and
 * the client's answers reject with, `missing_capability`, `tool_misbehaved`.
 *
 * @param request of the modern era
 * @param send resolves with the tool's answer; each time under a new id
 */
export async function inRounds(
  open: OpenCall,
  request: Message,
  send: (request: Message) => Promise<Message>,
): Promise<Message> {
  const { method } = request
  const id = open.call.request.id as Id
  let next = request
  for (let round = 0; round <= MOST_ROUNDS; round += 1) {
    const answer = await send(next)
    if (open.reason !== undefined) throw open.reason
    if (answer.kind === 'error') return withId(answer, id)
    const { result } = answer.json()
    const type = isObject(result) ? result.resultType : undefined
    if (type === undefined || type === 'complete') return legacyResult(answer, id, method)
    if (type !== 'input_required') throw strange(type)
    refuseAsk(method)
    const { requests, state } = readAsked(answer)
    const responses = await open.wait(
      requests === undefined ? patience(round) : asked(open, requests),
    )
    next = withInput(request, responses, state)
  }
  throw misbehaved(`asks for input more than ${MOST_ROUNDS} times`)
}

/** Asks the client. */
async function asked({ call }: OpenCall, requests: InputRequests): Promise<unknown> {
  if (call.ask !== undefined) return call.ask(requests)
  const requiredCapabilities = missingCapabilities(requests, {})
  const what = 'The tool asks its client, which cannot be asked here.'
  throw new ToolgateError('missing_capability', what, {
    data: { requiredCapabilities },
  })
}

/** A tool that is busy asks for nothing but to be called again. */
async function patience(round: number): Promise<undefined> {
  await delay(Math.min(PATIENCE * 2 ** round, MOST_PATIENCE))
}

function readAsked(answer: Message) {
  if (answer.bytes.length > MOST_BYTES) {
    throw misbehaved(`asks for input in more than ${MOST_BYTES} bytes`)
  }
  const { inputRequests, requestState } = exactly(answer).result as JsonObject
  if (requestState !== undefined && typeof requestState !== 'string') {
    throw misbehaved('gave a "requestState" that is no string')
  }
  const requests = isObject(inputRequests) ? Object.entries(inputRequests) : []
  if (requests.length === 0) {
    if (requestState !== undefined) return { requests: undefined, state: requestState }
    throw misbehaved('asks for input, but neither for what nor with a "requestState"')
  }
  if (requests.length > MOST_QUESTIONS || !requests.every(([, each]) => isRequest(each))) {
    throw misbehaved(`asks for something else than at most ${MOST_QUESTIONS} requests`)
  }
  return { requests: inputRequests as InputRequests, state: requestState }
}

function isRequest(value: unknown): value is InputRequest {
  return isObject(value) && typeof value.method === 'string'
}

function strange(type: unknown): ToolgateError {
  const name = JSON.stringify(type).slice(0, 64)
  return misbehaved(`answered with a result of type ${name}, which a legacy client cannot take`)
}

function misbehaved(what: string): ToolgateError {
  return new ToolgateError('tool_misbehaved', `The tool ${what}.`)
}

const MOST_ROUNDS = 16
/** In one round. */
const MOST_QUESTIONS = 256
/** Of an answer that asks: it is kept until the client has answered. */
const MOST_BYTES = 1024 * 1024
/** Milliseconds before a tool that asked for nothing is called again; twice as long each time. */
const PATIENCE = 10
const MOST_PATIENCE = 1000
