import { constants } from 'node:os'
import { within } from '../../within.ts'
import type { Exit, Members } from '../body.ts'
import { sizeOf } from '../cell/bounds.ts'
import { ask, type Engine, forgetEngine, statusOf } from './engine.ts'
import { forgetMemory, ranOutOfMemory } from './memory-events.ts'

export interface RunningOptions {
  readonly engine: Engine
  readonly id: string
  /** Its exit code; rejects where the engine has ended. */
  readonly code: Promise<number>
  /** Its streams have ended: so has it, whether the engine says so or not. */
  readonly detached: Promise<unknown>
  /** Most bytes of memory. */
  readonly memory: number
  /** Removes it, and whatever was made for it. Never rejects. */
  remove(): Promise<void>
}

/** The processes of a started container, which end with its first one. */
export class RunningContainer implements Members {
  readonly exited: Promise<Exit>
  readonly #options: RunningOptions
  readonly #lost = Promise.withResolvers<Exit>()
  #ended = false
  #killed = false
  #blame: string | undefined

  constructor(options: RunningOptions) {
    this.#options = options
    this.exited = Promise.race([this.#untilExit(), this.#lost.promise]).then((exit) => {
      this.#ended = true
      return exit
    })
  }

  signal(signal: NodeJS.Signals | 0): boolean {
    if (this.#ended) return false
    if (signal === 0) return true
    const { engine, id } = this.#options
    // Where that fails it has ended, or the engine has: its exit tells.
    ask(engine.docker.getContainer(id).kill({ signal })).catch(() => {})
    if (signal === 'SIGKILL') this.#kill()
    return true
  }

  emptied(milliseconds: number): Promise<boolean> {
    return within(this.exited, milliseconds)
  }

  release(): Promise<void> {
    forgetMemory(this.#options.id)
    return this.#options.remove()
  }

  /** Why it ended, where that is known. */
  blame(): string | undefined {
    return this.#blame
  }

  /** An engine that hangs is not waited for. */
  #kill(): void {
    if (this.#killed) return
    this.#killed = true
    setTimeout(() => this.#lose([null, 'SIGKILL']), KILLED).unref()
  }

  #lose(exit: Exit): void {
    if (this.#ended) return
    if (this.#blame === undefined) {
      this.#blame = ENGINE_GONE
      forgetEngine(this.#options.engine)
    }
    this.#lost.resolve(exit)
  }

  async #untilExit(): Promise<Exit> {
    const { code, detached } = this.#options
    // An exit follows the end of the streams at once; where it does not, it was missed.
    const missed = detached.then(async () => {
      await within(code, MISSED)
      return this.#inspectCode()
    })
    try {
      const status = await Promise.race([code, missed])
      const exit = exitOf(status)
      if (exit[1] === 'SIGKILL' && !this.#killed) await this.#findBlame()
      return exit
    } catch (error) {
      if (statusOf(error) === 404) this.#blame = 'its container was removed'
      this.#lose([null, null])
      return this.#lost.promise
    }
  }

  async #inspectCode(): Promise<number> {
    const { engine, id, code } = this.#options
    const { State } = await ask(engine.docker.getContainer(id).inspect())
    return State.Running ? code : State.ExitCode
  }

  /** The engine is about to remove it, or has done so already. */
  async #findBlame(): Promise<void> {
    const { engine, id, memory } = this.#options
    const inspected = ask(engine.docker.getContainer(id).inspect())
    const found = await inspected.catch(() => undefined)
    if (found?.State.OOMKilled || (await ranOutOfMemory(id))) {
      this.#blame = `it used more than its memory (${sizeOf(memory)})`
    }
  }
}

const ENGINE_GONE = 'the container engine does not answer'

/** As shells do: 128 and the number of the signal that ended it. */
function exitOf(status: number): Exit {
  const named = Object.entries(constants.signals).find(([, number]) => number === status - 128)
  return named === undefined ? [status, null] : [null, named[0] as NodeJS.Signals]
}

/** Milliseconds. */
const MISSED = 1_000
const KILLED = 10_000
