import { missingCapabilities } from '../protocol/asks.ts'
import { LOG_LEVELS } from '../protocol/log-level.ts'
import type { Id, JsonObject } from '../protocol/message.ts'
import { CALL_ID } from '../protocol/meta.ts'
import { isObject } from '../protocol/object.ts'
import { isLegacyVersion, LATEST_LEGACY } from '../protocol/versions.ts'
import type { LogLevel, Question, RunContext, ToolOptions } from '../tool/options.ts'
import { readDeclaration } from '../tool/read-declaration.ts'
import { callFunction } from './inline-call.ts'
import { InlineQuestions } from './inline-questions.ts'

export interface InlineServerOptions {
  readonly tool: ToolOptions
  /** `name@version`. */
  readonly identity: string
  readonly workspace: string | null
  send(message: JsonObject): void
}

/** An error that is answered as JSON-RPC. */
class RpcError extends Error {
  readonly code: number

  constructor(code: number, message: string) {
    super(message)
    this.code = code
  }
}

/** A request from its arrival to its answer. */
interface RunningCall {
  readonly id: Id
  readonly signal: AbortSignal
}

/** Most calls at once. */
const MOST = 1_000

/** Serves an inline tool's functions: MCP of the legacy era, one message a line. */
export class InlineServer {
  readonly #options: InlineServerOptions
  readonly #calls = new Map<Id, AbortController>()
  readonly #running = new Set<Promise<void>>()
  readonly #questions: InlineQuestions
  #level = 0
  /** What the client said it can be asked. */
  #capabilities: JsonObject = {}

  constructor(options: InlineServerOptions) {
    this.#options = options
    this.#questions = new InlineQuestions((message) => options.send(message))
  }

  receive(line: string): void {
    let message: unknown
    try {
      message = JSON.parse(line)
    } catch {
      this.#fail(null, new RpcError(-32700, 'The line is not JSON.'))
      return
    }
    if (!isObject(message)) return
    const { id, method } = message
    if (typeof method !== 'string') {
      this.#questions.answer(message)
      return
    }
    const params = isObject(message.params) ? message.params : {}
    if (typeof id !== 'string' && typeof id !== 'number') {
      this.#notified(method, params)
      return
    }
    const running = this.#answer(id, method, params).finally(() => this.#running.delete(running))
    this.#running.add(running)
  }

  /** Waits for the calls under way, and gives them up after so many milliseconds. */
  async finish(milliseconds: number): Promise<void> {
    this.#questions.end(new Error('The client has gone.'))
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, milliseconds)
    await Promise.race([Promise.all(this.#running), promise])
    clearTimeout(timer)
    for (const call of this.#calls.values()) call.abort(new Error('The client has gone.'))
  }

  async #answer(id: Id, method: string, params: JsonObject): Promise<void> {
    const call = new AbortController()
    try {
      if (this.#calls.has(id)) throw new RpcError(-32600, 'The id is in use.')
      if (this.#calls.size >= MOST) throw new RpcError(-32000, 'Too many calls at once.')
    } catch (error) {
      return this.#fail(id, error)
    }
    this.#calls.set(id, call)
    try {
      const result = await this.#dispatch({ id, signal: call.signal }, method, params)
      if (!call.signal.aborted) this.#options.send({ jsonrpc: '2.0', id, result })
    } catch (error) {
      if (!call.signal.aborted) this.#fail(id, error)
    } finally {
      this.#calls.delete(id)
    }
  }

  /** The one place that knows the methods. */
  #dispatch(call: RunningCall, method: string, params: JsonObject): unknown {
    switch (method) {
      case 'initialize':
        return this.#initialize(params)
      case 'ping':
        return {}
      case 'logging/setLevel':
        this.#level = Math.max(0, LOG_LEVELS.indexOf(params.level as LogLevel))
        return {}
      case 'tools/list':
        return this.#list()
      case 'tools/call':
        return this.#call(call, params)
      default:
        throw new RpcError(-32601, `There is no method '${method}'.`)
    }
  }

  #initialize({ protocolVersion: asked, capabilities }: JsonObject) {
    const { identity, tool } = this.#options
    this.#capabilities = isObject(capabilities) ? capabilities : {}
    const [name, version] = identity.split('@')
    return {
      protocolVersion: isLegacyVersion(asked) ? asked : LATEST_LEGACY,
      capabilities: { tools: {}, logging: {} },
      serverInfo: { name, version, ...(tool.title === undefined ? {} : { title: tool.title }) },
      instructions: tool.description,
    }
  }

  async #list() {
    const z = await import('zod')
    const reading = readDeclaration(this.#options.tool, (schema, io) =>
      z.toJSONSchema(schema as Parameters<typeof z.toJSONSchema>[0], {
        io,
        target: 'draft-2020-12',
      }),
    )
    if ('errors' in reading) throw new RpcError(-32603, 'The tool is not declared well.')
    const { runtime } = reading.declaration
    return { tools: runtime.kind === 'inline' ? runtime.functions : [] }
  }

  #call(call: RunningCall, params: JsonObject) {
    const { runtime } = this.#options.tool
    const name = String(params.name)
    const known = runtime.kind === 'inline' && Object.hasOwn(runtime.functions, name)
    const called = known ? runtime.functions[name] : undefined
    if (called === undefined) throw new RpcError(-32602, `There is no function '${name}'.`)
    return callFunction(name, called, params.arguments, this.#context(call, params))
  }

  #context({ id, signal }: RunningCall, { _meta: meta }: JsonObject): RunContext {
    const token = isObject(meta) ? meta.progressToken : undefined
    const mark = this.#marks && { _meta: { [CALL_ID]: id } }
    const notify = (method: string, params: JsonObject) => {
      if (!signal.aborted) this.#options.send({ jsonrpc: '2.0', method, params })
    }
    return {
      signal,
      workspace: this.#options.workspace,
      progress: (progress, total, message) => {
        if (token === undefined) return
        notify('notifications/progress', { progressToken: token, progress, total, message })
      },
      log: (level, data) => {
        const logger = this.#options.identity.split('@')[0]
        if (LOG_LEVELS.indexOf(level) < this.#level) return
        notify('notifications/message', { ...mark, level, logger, data })
      },
      ask: async (questions) => {
        this.#refuseUndeclared(questions)
        return this.#questions.ask(questions, signal, mark)
      },
    }
  }

  /** The gateway tells by this whose call of all that run here a message is about. */
  get #marks(): boolean {
    const { experimental } = this.#capabilities
    return isObject(experimental) && CALL_ID in experimental
  }

  /** What nobody can be asked is not asked. The gateway knows that for itself of each caller. */
  #refuseUndeclared(questions: Readonly<Record<string, Question>>): void {
    const missing = this.#marks ? undefined : missingCapabilities(questions, this.#capabilities)
    if (missing === undefined) return
    throw new Error(`The caller cannot be asked: it lacks ${Object.keys(missing).join(', ')}.`)
  }

  #notified(method: string, params: JsonObject): void {
    if (method !== 'notifications/cancelled') return
    const reason = typeof params.reason === 'string' ? params.reason : 'The call was cancelled.'
    this.#calls.get(params.requestId as Id)?.abort(new Error(reason))
  }

  #fail(id: Id | null, error: unknown): void {
    const code = error instanceof RpcError ? error.code : -32603
    const message = error instanceof Error ? error.message : String(error)
    this.#options.send({ jsonrpc: '2.0', id, error: { code, message } })
  }
}
