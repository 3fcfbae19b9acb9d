import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'

export type Json = { id?: string | number; method?: string; [key: string]: unknown }
export interface Answer {
  readonly line: string
  readonly message: Json
}

/** One tool process: lines in, lines out, answers found by their id. */
export class ToolProcess {
  readonly #child: ChildProcessWithoutNullStreams
  readonly #waiting = new Map<unknown, PromiseWithResolvers<Answer>>()
  #parts: string[] = []

  constructor(command: readonly string[]) {
    const [program = '', ...args] = command
    this.#child = spawn(program, args)
    this.#child.stderr.resume()
    this.#child.stdin.on('error', () => {})
    this.#child.stdout.setEncoding('utf8').on('data', (chunk: string) => this.#read(chunk))
    this.#child.on('error', (error) => this.#fail(error))
    this.#child.on('exit', () => this.#fail(new Error('The tool has ended.')))
  }

  ask(id: string | number, line: string): Promise<Answer> {
    const waiter = Promise.withResolvers<Answer>()
    this.#waiting.set(id, waiter)
    this.tell(line)
    return waiter.promise
  }

  tell(line: string): void {
    this.#child.stdin.write(`${line}\n`)
  }

  end(): void {
    this.#child.stdin.end()
    this.#child.kill()
  }

  // Parts are joined once for each line, so that a long line costs no more than its length.
  #read(chunk: string): void {
    let from = 0
    for (let at = chunk.indexOf('\n'); at !== -1; at = chunk.indexOf('\n', from)) {
      this.#parts.push(chunk.slice(from, at))
      this.#line(this.#parts.length === 1 ? (this.#parts[0] as string) : this.#parts.join(''))
      this.#parts = []
      from = at + 1
    }
    if (from < chunk.length) this.#parts.push(from === 0 ? chunk : chunk.slice(from))
  }

  #line(line: string): void {
    const message = JSON.parse(line) as Json
    const waiter = this.#waiting.get(message.id)
    if (waiter === undefined) return
    this.#waiting.delete(message.id)
    waiter.resolve({ line, message })
  }

  #fail(error: Error): void {
    for (const waiter of this.#waiting.values()) waiter.reject(error)
    this.#waiting.clear()
  }
}
