import type { Caller } from '../call/caller.ts'
import type { Seal } from '../dispatch/seal.ts'
import type { Declaration } from '../tool/declaration.ts'

/** A call that waits for its client. */
export interface Waiting {
  /** What it is found by. */
  readonly state: string
  readonly tool: string
  readonly version: string
  readonly function: string
}

/** What a client carries to go on with a call of its own. */
export function sealContinuation(
  seal: Seal,
  caller: Caller,
  state: string,
  tool: Declaration,
  name: string,
): string {
  const value = JSON.stringify([state, tool.name, tool.version, name])
  return seal.seal({ kind: 'parked', value }, bearer(caller))
}

/** Throws `invalid_params` where it was not given to this caller, just now. */
export function openContinuation(seal: Seal, caller: Caller, continuation: unknown): Waiting {
  const { value } = seal.open(continuation, bearer(caller), 'continuation')
  const [state, tool, version, name] = JSON.parse(value) as [string, string, string, string]
  return { state, tool, version, function: name }
}

/** The request names no tool: which one it is, is part of what is sealed. */
function bearer({ id }: Caller) {
  return { caller: id, tool: '', version: '', request: 'POST /v1/continuations' }
}
