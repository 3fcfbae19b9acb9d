import { ToolgateError, toToolgateError } from '../errors.ts'
import { refusedAsModern } from '../outbound/probe.ts'
import type { Spoken } from '../pool/lease.ts'
import type { Pool } from '../pool/pool.ts'
import { isObject } from '../protocol/object.ts'
import type { Logger } from '../telemetry/log.ts'
import type { Declaration } from '../tool/declaration.ts'
import type { Catalogue, Learned, LearnState } from './catalogue.ts'
import { Eras } from './eras.ts'
import { inlineLearned } from './inline.ts'
import { learnFrom } from './learn.ts'
import { retryAfter } from './retry.ts'
import { readStored, writeStored } from './stored.ts'

export interface CatalogueOptions {
  readonly pool: Pool
  /** Absolute path of what may be lost. */
  readonly cache: string
  readonly log: Logger
}

/** `refresh` asks a running daemon again; `forget` drops what is known of a version. */
export type LearningCatalogue = Catalogue & {
  refresh(tool: Declaration): void
  forget(tool: Declaration): void
}

export function createCatalogue({ pool, cache, log }: CatalogueOptions): LearningCatalogue {
  const states = new Map<string, LearnState>()
  const running = new Map<string, Promise<Learned>>()
  const listeners: ((tool: string) => void)[] = []
  /** Changed while they were being learned, or let go. */
  const changed = new Set<string>()
  const forgotten = new Set<string>()
  /** Starts so slowly that its silence says nothing of its era: the next gateway asks again. */
  const doubtful = new Set<string>()

  const eras = new Eras(async (tool) => {
    const stored = await readStored(cache, tool)
    return stored === undefined ? pool.probe(tool) : { ...spokenBy(stored), silent: false }
  })

  const keyOf = ({ name, version }: Declaration) => `${name}@${version}`
  const settle = (tool: Declaration, state: LearnState) => {
    states.set(keyOf(tool), state)
    for (const listener of listeners) listener(tool.name)
  }

  const ask = async (tool: Declaration, running: boolean): Promise<Learned> => {
    const known = states.get(keyOf(tool))
    const before = known?.state === 'learned' ? known.learned : undefined
    const spoken = await eras.of(tool)
    try {
      return await learnFrom(pool, { tool, spoken, running, before })
    } catch (thrown) {
      if (tool.era !== null || !wasModern(thrown)) throw thrown
      // It was asked for its era before it could hear.
      eras.set(tool, MODERN)
      return learnFrom(pool, { tool, spoken: MODERN, running, before })
    }
  }

  const study = async (tool: Declaration, fresh: boolean): Promise<Learned> => {
    try {
      const stored = fresh ? undefined : await readStored(cache, tool)
      if (stored !== undefined) eras.set(tool, spokenBy(stored))
      else await eras.of(tool)
      const since = performance.now()
      const learned = stored ?? (await ask(tool, fresh))
      if (!forgotten.has(keyOf(tool))) settle(tool, { state: 'learned', learned })
      const slow = performance.now() - since > pool.patience / QUICK
      if (slow && !fresh && eras.isGuessed(tool)) doubtful.add(keyOf(tool))
      if (stored === undefined && !doubtful.has(keyOf(tool)))
        await writeStored(cache, tool, learned, log)
      return learned
    } catch (thrown) {
      const error = withEra(toToolgateError(thrown), tool)
      log.warn({ tool: tool.name, error: error.message }, 'tool could not be learned')
      const known = states.get(keyOf(tool))
      // What was learned before is better than nothing.
      if (fresh && known?.state === 'learned') return known.learned
      if (!forgotten.has(keyOf(tool)))
        settle(tool, {
          state: 'failed',
          error: error.message,
          // Of this machine and not of the tool: it stays what it is.
          ...(error.code === 'no_cell' && { code: error.code }),
          at: Date.now(),
        })
      throw error
    }
  }

  const start = (tool: Declaration, fresh = false): Promise<Learned> => {
    const key = keyOf(tool)
    const known = running.get(key)
    if (known !== undefined) return known
    const learning = study(tool, fresh).finally(() => {
      running.delete(key)
      forgotten.delete(key)
      if (!changed.delete(key)) return
      // At most once a second: a tool may answer each look with another change.
      setTimeout(() => void start(tool, true), AGAIN).unref()
    })
    running.set(key, learning)
    // Whoever waits for it sees it fail; nobody has to.
    learning.catch(() => {})
    return learning
  }

  const peek = (tool: Declaration): LearnState | undefined => {
    if (tool.runtime.kind !== 'inline') return states.get(keyOf(tool))
    return { state: 'learned', learned: inlineLearned(tool, tool.runtime.functions) }
  }

  const look = (tool: Declaration): LearnState => {
    const state = peek(tool)
    if (state?.state === 'learned' || running.has(keyOf(tool))) return state ?? LEARNING
    if (state?.state === 'failed' && Date.now() - state.at < retryAfter(state.code)) return state
    const again = state?.state === 'failed' ? { ...LEARNING, error: state.error } : LEARNING
    states.set(keyOf(tool), again)
    void start(tool)
    return again
  }

  return {
    look,
    peek,
    learn(tool) {
      const state = look(tool)
      if (state.state === 'learned') return Promise.resolve(state.learned)
      if (state.state === 'learning') return start(tool)
      const message = `The tool could not be learned: ${state.error}`
      return Promise.reject(new ToolgateError(state.code ?? 'tool_failed_to_start', message))
    },
    spoken: (tool) => eras.of(tool),
    onChange: (listener) => void listeners.push(listener),
    refresh(tool) {
      if (tool.mode !== 'daemon' || tool.runtime.kind === 'inline') return
      if (running.has(keyOf(tool))) changed.add(keyOf(tool))
      else void start(tool, true)
    },
    forget(tool) {
      states.delete(keyOf(tool))
      eras.forget(tool)
      doubtful.delete(keyOf(tool))
      if (running.has(keyOf(tool))) forgotten.add(keyOf(tool))
    },
  }
}

const MODERN: Spoken = { era: 'modern', dual: false }
const LEARNING: LearnState = { state: 'learning' }
const AGAIN = 1000
/**
 * What is learned within this part of the time for which it was silent before does not start
 * slowly. What takes longer may: the machine may have been busier before.
 */
const QUICK = 2

function spokenBy({ era, dual }: Learned): Spoken {
  return { era, dual }
}

/** A tool that refuses the first word in the era that its file says may speak another. */
function withEra(error: ToolgateError, { era }: Declaration): ToolgateError {
  const { cause } = error
  // A JSON-RPC error, which is the tool's own.
  if (era === null || !isObject(cause) || typeof cause.code !== 'number') return error
  return new ToolgateError(error.code, `${error.message} Its file says era: '${era}'.`, { cause })
}

/** Did a tool that was taken for a legacy one refuse that as only a modern one does? */
function wasModern(thrown: unknown): boolean {
  return thrown instanceof ToolgateError && refusedAsModern(thrown.cause)
}
