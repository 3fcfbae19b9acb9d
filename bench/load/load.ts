import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Aim, Done, OrderName, Orders, Sent } from './orders.ts'

const ENTRY = fileURLToPath(new URL('./client.ts', import.meta.url))

/** A load process of its own, so that a server's CPU and the client's are told apart. */
export class Load {
  readonly #child: ChildProcess
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>()
  #sent = 0

  constructor(aim: Aim) {
    this.#child = fork(ENTRY, [JSON.stringify(aim)], { serialization: 'advanced' })
    this.#child.on('message', ({ at, value, failure }: Done) => {
      const waiter = this.#waiting.get(at)
      this.#waiting.delete(at)
      if (failure === undefined) waiter?.resolve(value)
      else waiter?.reject(new Error(`The load client: ${failure}`))
    })
    this.#child.on('exit', () => {
      for (const waiter of this.#waiting.values())
        waiter.reject(new Error('The load client ended.'))
    })
  }

  tell<Name extends OrderName>(
    name: Name,
    order: Parameters<Orders[Name]>[0],
  ): Promise<ReturnType<Orders[Name]>> {
    const waiter = Promise.withResolvers<unknown>()
    const sent: Sent = { at: ++this.#sent, name, order }
    this.#waiting.set(sent.at, waiter)
    this.#child.send(sent)
    return waiter.promise as Promise<ReturnType<Orders[Name]>>
  }

  /** Gone at once, with every connection cut and nothing said to the server. */
  vanish(): Promise<void> {
    const gone = Promise.withResolvers<void>()
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) gone.resolve()
    else this.#child.once('exit', () => gone.resolve())
    this.#child.kill('SIGKILL')
    return gone.promise
  }
}
