import assert from 'node:assert/strict'
import type { Call } from '../../src/call/call.ts'
import type { Link } from '../../src/call/link.ts'
import type { Dispatch } from '../../src/dispatch/dispatch.ts'
import { Parked, type Turn } from '../../src/dispatch/parked.ts'
import { ToolgateError } from '../../src/errors.ts'
import type { Message } from '../../src/protocol/message.ts'
import { configWith, resultOf } from './given.ts'

/** What a tool does with a call. */
type Run = (call: Asking) => Promise<unknown>
export type Asking = Call & { ask: NonNullable<Call['ask']> }

interface Limits {
  readonly ask?: number
  readonly parked?: number
  readonly max?: number
}

/**
 * Calls that wait, above a waist that does what `run` says and ends with what it answers. New
 * requests are served by the version `served`.
 */
export function open(run: Run, { ask = 60_000, ...sessions }: Limits = {}) {
  const served = { version: 'v1' }
  const closed: string[] = []
  const ended: unknown[] = []
  const dispatch: Dispatch = {
    open: async () => {},
    async call(call) {
      const gone = new Promise<never>((_, reject) => {
        call.signal?.addEventListener('abort', () => reject(call.signal?.reason))
      })
      try {
        return resultOf(call, await Promise.race([run(call as Asking), gone]))
      } catch (error) {
        ended.push(error)
        throw error
      }
    },
    tell() {},
    close: (link) => void closed.push(link.tool.name),
  }
  const config = configWith({ timeouts: { ask }, sessions })
  const serves = ({ version }: Link['tool']) => version === served.version
  return { parked: new Parked({ config, dispatch, serves }), closed, ended, served }
}

export const asksOf = (turn: Turn) => {
  assert.ok('asks' in turn, 'it asks')
  return turn
}
export const answerOf = (turn: Turn): Message => {
  assert.ok('answer' in turn, 'it answers')
  return turn.answer
}
export const resultIn = (turn: Turn) => answerOf(turn).json().result
export const refusedWith =
  (code: string, told = /./) =>
  (thrown: unknown) => {
    assert.ok(thrown instanceof ToolgateError, String(thrown))
    assert.equal(thrown.code, code)
    assert.match(thrown.message, told)
    return true
  }
