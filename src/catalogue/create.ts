import { ToolgateError, toToolgateError } from '../errors.ts'
import type { Pool } from '../pool/pool.ts'
import type { Logger } from '../telemetry/log.ts'
import type { Declaration } from '../tool/declaration.ts'
import type { Catalogue, Learned, LearnState } from './catalogue.ts'
import { learnFrom } from './learn.ts'
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

  const keyOf = ({ name, version }: Declaration) => `${name}@${version}`
  const settle = (tool: Declaration, state: LearnState) => {
    states.set(keyOf(tool), state)
    for (const listener of listeners) listener(tool.name)
  }

  const study = async (tool: Declaration, fresh: boolean): Promise<Learned> => {
    try {
      const stored = fresh ? undefined : await readStored(cache, tool)
      const learned = stored ?? (await learnFrom(pool, tool, fresh))
      settle(tool, { state: 'learned', learned })
      if (stored === undefined) await writeStored(cache, tool, learned, log)
      return learned
    } catch (thrown) {
      const error = toToolgateError(thrown)
      log.warn({ tool: tool.name, err: thrown }, 'tool could not be learned')
      settle(tool, { state: 'failed', error: error.message, at: Date.now() })
      throw error
    }
  }

  const start = (tool: Declaration, fresh = false): Promise<Learned> => {
    const key = keyOf(tool)
    const known = running.get(key)
    if (known !== undefined) return known
    const learning = study(tool, fresh).finally(() => running.delete(key))
    running.set(key, learning)
    // Whoever waits for it sees it fail; nobody has to.
    learning.catch(() => {})
    return learning
  }

  const look = (tool: Declaration): LearnState => {
    if (tool.runtime.kind === 'inline') {
      const { functions } = tool.runtime
      return { state: 'learned', learned: { era: 'legacy', initialize: {}, functions } }
    }
    const state = states.get(keyOf(tool))
    if (state !== undefined && (state.state !== 'failed' || Date.now() - state.at < RETRY)) {
      return state
    }
    void start(tool)
    return { state: 'learning' }
  }

  return {
    look,
    learn(tool) {
      const state = look(tool)
      if (state.state === 'learned') return Promise.resolve(state.learned)
      if (state.state === 'learning') return start(tool)
      const message = `The tool could not be learned: ${state.error}`
      return Promise.reject(new ToolgateError('tool_failed_to_start', message))
    },
    onChange: (listener) => void listeners.push(listener),
    refresh(tool) {
      if (tool.mode === 'daemon' && tool.runtime.kind !== 'inline') void start(tool, true)
    },
    forget: (tool) => void states.delete(keyOf(tool)),
  }
}

/** Milliseconds after which a tool that could not be learned is tried again when asked for. */
const RETRY = 30_000
