import { type Question, type Reply, speaksLegacy, speaksModern } from '../outbound/probe.ts'
import type { Declaration } from '../tool/declaration.ts'
import { within } from '../within.ts'
import type { Closing } from './closing.ts'
import { startAsked } from './instance.ts'
import type { Spoken } from './lease.ts'
import type { Ground, Started, StartRequest } from './starting.ts'

/** What asking a tool for its eras came to. */
export interface Probed extends Spoken {
  /** It is called legacy because it said nothing: it may only be slow to start. */
  readonly silent: boolean
}

export interface ProbesParts {
  readonly ground: Ground
  readonly closing: Closing
  request(tool: Declaration): StartRequest
  /** Told of each process that was started. */
  started(started: Started): void
}

/** Asks tools which eras they speak, each question of a process that is ended then. */
export class Probes {
  readonly #parts: ProbesParts
  readonly #underWay = new Set<Promise<Probed>>()

  constructor(parts: ProbesParts) {
    this.#parts = parts
  }

  /** Milliseconds after which a process that says nothing has said no. */
  get patience(): number {
    return Math.min(PATIENCE, this.#parts.ground.config.timeouts.start / 2)
  }

  async probe(tool: Declaration): Promise<Probed> {
    const probing = this.#probe(tool)
    this.#underWay.add(probing)
    try {
      return await probing
    } finally {
      this.#underWay.delete(probing)
    }
  }

  /** Resolves when those that are under way now are over. */
  async over(): Promise<void> {
    await Promise.allSettled(this.#underWay)
  }

  async #probe(tool: Declaration): Promise<Probed> {
    const modern = await this.#ask(tool, speaksModern)
    if (modern !== 'yes') return { era: 'legacy', dual: false, silent: modern === 'silent' }
    const legacy = await this.#ask(tool, speaksLegacy)
    return { era: 'modern', dual: legacy === 'yes', silent: false }
  }

  async #ask(tool: Declaration, question: Question): Promise<Reply> {
    const { ground, closing, request } = this.#parts
    closing.check()
    const asked = { ...request(tool), signal: closing.signal, priority: 'job' } as const
    const started = await startAsked(ground, asked, question, this.patience)
    this.#parts.started(started)
    const ended = started.process.close('it was asked for its era only')
    // What it holds, such as a port, is needed by the next one.
    await within(started.process.closed, LINGER)
    if (closing.reason !== undefined) await ended
    // The end of the gateway may be what it answered with.
    closing.check()
    return started.reply
  }
}

const PATIENCE = 5_000
const LINGER = 500
