import type { Call, InputRequest, InputRequests, InputResponses } from '../../call/call.ts'
import { ToolgateError } from '../../errors.ts'
import type { Message } from '../../protocol/message.ts'
import { isObject } from '../../protocol/object.ts'
import type { Questions } from './questions.ts'

/**
 * The answer to one request that is no session's, sent again after its client has opened what the
 * tool needs to be opened; other clients see the error themselves. Rejects with what `send` and
 * the client's answers reject with.
 */
export async function openUrls(
  call: Call,
  questions: Questions,
  send: () => Promise<Message>,
): Promise<Message> {
  const { era, kind } = call.link
  for (let round = 1; ; round += 1) {
    const answer = await send()
    if (era === 'modern' || kind === 'session' || call.ask === undefined) return answer
    const requests = urlRequests(answer)
    if (requests === undefined || round > MOST_ROUNDS) return answer
    if (!(await opened(questions.put(call, requests)))) return answer
  }
}

/**
 * What a legacy tool's error -32042 asks for, as requests under keys of our own; undefined for
 * every other answer. The modern era has neither the error nor the ids in it.
 */
export function urlRequests(answer: Message): InputRequests | undefined {
  if (answer.kind !== 'error') return undefined
  const { error } = answer.json()
  if (!isObject(error) || error.code !== URL_ELICITATION_REQUIRED) return undefined
  const { elicitations } = isObject(error.data) ? error.data : {}
  if (!Array.isArray(elicitations)) return undefined
  const requests = elicitations.filter(isObject).flatMap(({ elicitationId: _id, ...params }) => {
    const request = { method: 'elicitation/create', params: { ...params, mode: 'url' } }
    return typeof params.url === 'string' ? request : []
  })
  if (requests.length === 0) return undefined
  return Object.fromEntries(
    requests.map((each, at): [string, InputRequest] => [`url-${at + 1}`, each]),
  )
}

/** Of 2025-11-25 only. */
export const URL_ELICITATION_REQUIRED = -32042

/** How often one call is sent again. */
const MOST_ROUNDS = 8

/** A client that cannot or would not open them gets the error. */
async function opened(asked: Promise<InputResponses>): Promise<boolean> {
  try {
    const responses = Object.values(await asked)
    return responses.every((response) => isObject(response) && response.action === 'accept')
  } catch (error) {
    if (error instanceof ToolgateError && error.code === 'missing_capability') return false
    throw error
  }
}
