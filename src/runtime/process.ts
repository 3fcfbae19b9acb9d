import { ToolgateError } from '../errors.ts'
import { LineReader } from '../protocol/line-codec.ts'
import type { Message } from '../protocol/message.ts'
import { readToolLine } from '../protocol/read.ts'
import type { LogFields, Logger } from '../telemetry/log.ts'
import { type Redaction, UNREDACTED } from '../telemetry/redaction.ts'
import { type StderrFields, toolStderr } from '../telemetry/stderr.ts'
import { within } from '../within.ts'
import type { Body, Exit, Members, Meter, Stdio } from './body.ts'
import type { Ending, Pipe } from './pipe.ts'
import type { Usage } from './usage.ts'

export interface ProcessOptions {
  /** Most bytes of one line, and of what the tool has not read yet. */
  readonly line: number
  /** Milliseconds for each step of ending. */
  readonly patience: { readonly stdin: number; readonly term: number }
  readonly log: Logger
  /** Fields of every line of the tool's stderr. */
  readonly fields: StderrFields
  /** For what is logged of the tool's own words. */
  readonly redaction?: Redaction
}

/** A running process as a pipe. */
export class ToolProcess implements Pipe {
  readonly pid: number
  /** Milliseconds since the epoch. */
  readonly since = Date.now()
  /** Which request its stderr belongs to, for the log; set by whoever speaks to it. */
  serving: (() => LogFields | undefined) | undefined
  /** What many clients send in one turn of the event loop goes in one system call. */
  gathers = false
  readonly closed: Promise<Ending>
  readonly ended: Promise<Ending>
  readonly #options: ProcessOptions
  readonly #body: Body
  readonly #stdio: Stdio
  readonly #members: Members
  readonly #meter: Meter
  readonly #exit: Promise<Ending>
  #reader: ((message: Message) => void) | undefined
  #early: Message[] = []
  #earlyBytes = 0
  #reason: string | undefined
  #exited = false
  #open = true
  #noise = 0
  #breakOff: (ending: Ending) => void = () => {}

  constructor(options: ProcessOptions, body: Body) {
    const { stdio } = body
    this.pid = body.pid
    this.#options = options
    this.#body = body
    this.#stdio = stdio
    this.#members = body.members
    this.#meter = body.meter
    const lines = new LineReader({
      limit: options.line,
      onLine: (line) => this.#line(line),
      onTooLong: (length) => this.#tooLong(length),
    })
    stdio.stdout.on('data', (chunk: Buffer) => lines.push(chunk))
    stdio.stdout.once('end', () => {
      lines.end()
      this.#meter.sample()
      this.#closedBy('it closed its output')
    })
    stdio.stdout.on('error', (error) => this.#fault('reading from the tool failed', error))
    stdio.stdin.on('error', (error) => {
      this.#fault('writing to the tool failed', error)
      this.#closedBy('it closed its input')
    })
    const stderr = toolStderr(options.log, options.fields, {
      serving: () => this.serving?.(),
      redaction: options.redaction ?? UNREDACTED,
    })
    stdio.stderr.on('data', stderr).once('close', () => stderr.end())
    stdio.stderr.on('error', (error) => this.#fault('reading stderr failed', error))
    this.#exit = this.#untilExit()
    const broken = new Promise<Ending>((resolve) => {
      this.#breakOff = resolve
    })
    this.closed = Promise.race([this.#exit, broken])
    this.ended = this.#exit.then(async (ending) => {
      await this.#sweep()
      return ending
    })
  }

  /** It has been told to end, or has ended. */
  get ending(): boolean {
    return this.#reason !== undefined || this.#exited
  }

  /** What it has used so far; null: not known. */
  get usage(): Usage | null {
    return this.#meter.usage
  }

  read(reader: (message: Message) => void): void {
    this.#reader = reader
    const early = this.#early
    this.#early = []
    this.#earlyBytes = 0
    for (const message of early) this.#hand(message)
  }

  /** Of no use to who reads now; the next reader may come in hours, so what is kept is bounded. */
  keep(message: Message): void {
    this.#earlyBytes += message.bytes.length
    if (this.#early.length < EARLY && this.#earlyBytes <= EARLY_BYTES) this.#early.push(message)
  }

  send(bytes: Uint8Array): void {
    const { stdin } = this.#stdio
    if (!this.#open || this.#exited || !stdin.writable) {
      throw new ToolgateError('tool_gone', `The tool is gone: ${this.#reason ?? 'it ended'}.`)
    }
    if (stdin.writableLength > this.#options.line) {
      throw new ToolgateError('tool_misbehaved', 'The tool does not read what it is sent.')
    }
    const line = Buffer.allocUnsafe(bytes.length + 1)
    line.set(bytes)
    line[bytes.length] = 10
    if (this.gathers && stdin.writableCorked === 0) {
      stdin.cork()
      setImmediate(() => stdin.uncork())
    }
    stdin.write(line)
  }

  pause(): void {
    this.#stdio.stdout.pause()
  }

  resume(): void {
    this.#stdio.stdout.resume()
  }

  close(reason: string): Promise<Ending> {
    if (this.#reason === undefined && !this.#exited) {
      this.#reason = reason
      this.#meter.soon()
      void this.#end()
    }
    return this.ended
  }

  kill(reason: string): Promise<Ending> {
    if (!this.#exited) {
      this.#reason ??= reason
      this.#meter.sample()
      this.#members.signal('SIGKILL')
    }
    return this.ended
  }

  /** The three steps, each after its own time, each only while somebody is left. */
  async #end(): Promise<void> {
    const { patience } = this.#options
    this.#stdio.stdin.end()
    // A tool whose output nobody reads cannot reach its end of input.
    this.#stdio.stdout.resume()
    if (await within(this.#exit, patience.stdin)) return
    this.#members.signal('SIGTERM')
    if (await within(this.#exit, patience.term)) return
    this.#members.signal('SIGKILL')
  }

  /** What the leader left behind in its group. */
  async #sweep(): Promise<void> {
    const { patience } = this.#options
    if (this.#members.signal(0) && !(await this.#members.emptied(GRACE))) {
      this.#members.signal('SIGTERM')
      if (!(await this.#members.emptied(patience.term))) {
        this.#members.signal('SIGKILL')
        await this.#members.emptied(patience.term)
      }
    }
    await this.#members.release()
    for (const stream of [this.#stdio.stdin, this.#stdio.stdout, this.#stdio.stderr]) {
      stream.destroy()
    }
  }

  async #untilExit(): Promise<Ending> {
    const { stdout } = this.#stdio
    const drained = new Promise<void>((resolve) => stdout.once('close', resolve))
    const [exitCode, signal] = await new Promise<Exit>((resolve) =>
      this.#stdio.once('exit', (...exit) => resolve(exit)),
    )
    this.#exited = true
    this.#meter.end()
    // The last lines may still be in the pipe; a grandchild that holds it open is not waited for.
    stdout.resume()
    await within(drained, GRACE)
    this.#open = false
    const how = signal === null ? `exited with code ${exitCode}` : `was ended by ${signal}`
    const unexpected = this.#reason === undefined
    this.#reason ??= this.#body.blame?.() ?? `it ${how}`
    return { reason: this.#reason, unexpected, exitCode, signal }
  }

  #line(line: Buffer): void {
    const message = readToolLine(line)
    if (message === undefined) {
      this.#noise += 1
      // The first lines say enough; a flood of noise must not become a flood of log lines.
      if (this.#noise <= NOISE_LOGGED) {
        const { log, fields, redaction = UNREDACTED } = this.#options
        log.warn({ ...fields, text: redaction.text(line, 200) }, 'stdout noise skipped')
      }
      return
    }
    if (this.#reader !== undefined) this.#hand(message)
    else this.keep(message)
  }

  /** Whatever a tool writes, it is this one message that fails and not the gateway. */
  #hand(message: Message): void {
    try {
      this.#reader?.(message)
    } catch (err) {
      this.#noise += 1
      if (this.#noise > NOISE_LOGGED) return
      this.#options.log.warn({ ...this.#options.fields, err }, 'message could not be handled')
    }
  }

  #tooLong(length: number): void {
    this.#fault(`a line is longer than ${this.#options.line} bytes`, { length })
    this.#breakUp(`it wrote a line longer than ${this.#options.line} bytes`)
  }

  /** An exit closes both ends too, and says more: it is given the time to be seen first. */
  #closedBy(what: string): void {
    if (this.ending) return
    setTimeout(() => {
      if (!this.ending) this.#breakUp(what)
    }, GRACE)
  }

  /** Nothing more can be exchanged, whether it lives or not: who waits for it is told now. */
  #breakUp(reason: string): void {
    if (this.ending) return
    this.#open = false
    this.#breakOff({ reason, unexpected: true, exitCode: null, signal: null })
    void this.close(reason)
  }

  #fault(what: string, cause: unknown): void {
    if (this.#reason !== undefined) return
    const { log, fields } = this.#options
    const code = (cause as NodeJS.ErrnoException).code
    log.warn({ ...fields, ...(code === undefined ? {} : { code }) }, what)
  }
}

/** Milliseconds that the last output and the last members of a group are given. */
const GRACE = 200
const NOISE_LOGGED = 20
const EARLY = 64
const EARLY_BYTES = 1024 * 1024
