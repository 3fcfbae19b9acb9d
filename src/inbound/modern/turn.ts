import type { Link } from '../../call/link.ts'
import type { Visit as CallVisit, ParkedCalls, Turn } from '../../dispatch/parked.ts'
import { type Bearer, digestOf, type Seal } from '../../dispatch/seal.ts'
import { ToolgateError } from '../../errors.ts'
import type { Message } from '../../protocol/message.ts'
import { isObject } from '../../protocol/object.ts'
import { exactParams, withParams } from './with-params.ts'

export interface TurnParts {
  readonly parked: ParkedCalls
  readonly seal: Seal
}

/**
 * Takes a request to its tool or, when it brings what it was asked for, on to the call that waits
 * for that. Throws or rejects with `invalid_params` where its `requestState` or `inputResponses`
 * cannot be taken, and with what the call fails with.
 */
export function takeTurn(
  { parked, seal }: TurnParts,
  link: Link,
  visit: CallVisit & { request: Message },
): Promise<Turn> {
  const { params } = visit.request.json()
  const { requestState, inputResponses } = isObject(params) ? params : {}
  if (inputResponses !== undefined && !isObject(inputResponses)) {
    throw new ToolgateError('invalid_params', '"inputResponses" must be an object.')
  }
  if (requestState === undefined) return parked.begin(link, visit)
  const { kind, value } = seal.open(requestState, bearerOf(link, visit.request))
  if (kind === 'parked') {
    return parked.resume(value, link, visit, exactParams(visit.request).inputResponses)
  }
  visit.request = withParams(visit.request, { requestState: value })
  return parked.begin(link, visit)
}

/** Whom a state is given to: the same caller, for the same request to the same version. */
export function bearerOf({ caller, tool }: Link, request: Message): Bearer {
  return {
    caller: caller.id,
    tool: tool.name,
    version: tool.version,
    request: digestOf(request.method ?? '', exactParams(request)),
  }
}
