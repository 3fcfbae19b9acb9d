import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { type Answer, INITIALIZE, type Json, type Session } from './session.ts'

const NEWLINE = 10

/** Floor (a): straight to the tool's own pipes. */
export class PipeSession implements Session {
  readonly #child: ChildProcessWithoutNullStreams
  readonly #ended: Promise<void>
  #waiting: PromiseWithResolvers<Answer> | null = null
  #parts: Buffer[] = []
  #lines: Json[] = []
  /** Id of the last request. */
  id = 0

  constructor(command: readonly string[]) {
    const [program = '', ...args] = command
    this.#child = spawn(program, args)
    this.#child.stderr.resume()
    this.#child.stdin.on('error', () => {})
    this.#child.stdout.on('data', (chunk: Buffer) => this.#read(chunk))
    this.#ended = new Promise((resolve) => this.#child.once('exit', () => resolve()))
    this.#ended.then(() => this.#waiting?.reject(new Error('The tool has ended.')))
  }

  async open(): Promise<void> {
    await this.ask('initialize', INITIALIZE)
    this.#child.stdin.write('{"jsonrpc":"2.0","method":"notifications/initialized"}\n')
  }

  ask(method: string, params: object): Promise<Answer> {
    this.#waiting = Promise.withResolvers()
    this.#lines = []
    this.#child.stdin.write(
      `${JSON.stringify({ jsonrpc: '2.0', id: ++this.id, method, params })}\n`,
    )
    return this.#waiting.promise
  }

  async listen(): Promise<void> {}

  /** Resolves when it has ended, so that it is nobody's neighbour afterwards. */
  close(): Promise<void> {
    this.#child.stdin.end()
    return this.#ended
  }

  #read(chunk: Buffer): void {
    let from = 0
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, from)) {
      this.#parts.push(chunk.subarray(from, end))
      const at = performance.now()
      const line: Json = JSON.parse(Buffer.concat(this.#parts).toString())
      this.#parts = []
      this.#lines.push(line)
      const lines = this.#lines
      if (line.id === this.id) this.#waiting?.resolve({ at, messages: () => lines })
      from = end + 1
    }
    if (from < chunk.length) this.#parts.push(chunk.subarray(from))
  }
}
