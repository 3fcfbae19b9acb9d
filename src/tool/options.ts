import type { z } from 'zod'

/** What a tool's file exports as its default. Only `description` and `runtime` are needed. */
export interface ToolOptions<R extends RuntimeOptions = RuntimeOptions> {
  /** What the tool is for, in a sentence; clients and the catalogue show it. */
  description: string
  /** How it runs: `command`, `npm`, `container` or `inline`. */
  runtime: R
  title?: string
  tags?: readonly string[]
  /** What the tool is given; everything else is denied. */
  policy?: PolicyOptions
  /** `launcher`: a process for each session. `daemon`: one pool for all; the default of `inline`. */
  mode?: 'launcher' | 'daemon'
  /** Bound of one call; default: `timeouts.call` of the configuration. */
  timeout?: Duration
  /** How long an unused instance is kept. */
  idle?: Duration
  /**
   * How many instances a daemon has: the most, or its bounds. `min` are kept running; others are
   * started while all are busy, and stopped after `idle`.
   */
  instances?: number | { min?: number; max?: number }
  /**
   * Spare instances of a launcher: started for the next session, told nothing. `initialized`: told
   * the `initialize` of the clients that came last, for the next one that says the same.
   */
  warm?: number | { spares: number; initialized?: boolean }
  /** `calls` in each `per`, and `burst` on top. */
  limits?: { calls: number; per: Duration; burst?: number }
  /** Who may call it; nothing: everyone who may use the gateway. */
  access?: { scopes?: readonly string[]; roles?: readonly string[] }
  /** Set it to skip asking the tool which MCP era it speaks. */
  era?: 'legacy' | 'modern'
}

/** A number and its unit: `500ms`, `30s`, `5m`, `1h`. */
export type Duration = `${number}${'ms' | 's' | 'm' | 'h'}`

/** A number and its unit, in steps of 1,024: `512B`, `64KB`, `16MB`, `1GB`. */
export type Size = `${number}${'B' | 'KB' | 'MB' | 'GB'}`

type Access = 'read-only' | 'read-write'

export interface PolicyOptions {
  /** `egress`: public addresses; `host`: the host's own network. Default `none`. */
  network?: 'none' | 'egress' | 'host' | { allow: readonly string[] }
  /**
   * The tool's own folder below the workspace; with `per`, one for each caller, or for each
   * session, which is removed with it. Default `none`.
   */
  workspace?: 'none' | Access | { access: Access; per: 'tool' | 'caller' | 'session' }
  /** Absolute paths of this machine. */
  files?: { read?: readonly string[]; write?: readonly string[] }
  /** Names of variables of the gateway's environment. */
  env?: readonly string[]
  /**
   * Variable name to source, never to the value: `file:/absolute/path`, `env:NAME` of the gateway's
   * environment, or `mounted:NAME` of `/run/secrets`. Read anew for each process.
   */
  secrets?: Readonly<Record<string, string>>
  memory?: Size
  cpus?: number
  processes?: number
  /** Default `required`; `none` is the explicit way out, and is shown wherever the tool is listed. */
  sandbox?: 'required' | 'none'
  /** For containers: the root file system cannot be written. Default true. */
  readOnly?: boolean
  capAdd?: readonly string[]
  /** Default `['ALL']`. */
  capDrop?: readonly string[]
  securityOpt?: readonly string[]
  tmpfs?: readonly string[]
  user?: string
}

export type RuntimeOptions =
  | { kind: 'command'; program: string; args: readonly string[] }
  | { kind: 'npm'; package: string; version: string; args: readonly string[] }
  | { kind: 'container'; image: string; args: readonly string[] }
  | { kind: 'inline'; functions: InlineFunctions }

export type InlineFunctions = Readonly<Record<string, AnyFunction>>

/** A function whose input and output types are no longer known. */
export interface AnyFunction {
  description: string
  title?: string
  input: z.ZodObject
  output?: z.ZodType
  annotations?: FunctionAnnotations
  run(args: never, context: RunContext): unknown
}

export interface FunctionOptions<I extends z.ZodObject, O extends z.ZodType> {
  description: string
  title?: string
  input: I
  /** An object's schema; without it a text is answered as it is, anything else as JSON. */
  output?: O
  annotations?: FunctionAnnotations
  run(args: z.output<I>, context: RunContext): z.input<O> | Promise<z.input<O>>
}

/** Hints for clients; they promise nothing. */
export interface FunctionAnnotations {
  title?: string
  readOnlyHint?: boolean
  destructiveHint?: boolean
  idempotentHint?: boolean
  openWorldHint?: boolean
}

/** What a running function may use besides its arguments. */
export interface RunContext {
  /** Aborted when the call is given up or its time is over. */
  readonly signal: AbortSignal
  /** Tells the caller how far it is; nothing is sent where the caller did not ask for it. */
  progress(done: number, total?: number, message?: string): void
  /** Sends a log message to the caller, where it wants those of this level. */
  log(level: LogLevel, data: unknown): void
  /**
   * Asks the caller for sampling, elicitation or roots, all at once, and resolves with a result for
   * each key: `{ action: 'accept', content }` of an elicitation. Rejects where the caller cannot be
   * asked or refuses, and when the call ends. The time it takes is not the call's.
   */
  ask(requests: Readonly<Record<string, Question>>): Promise<Readonly<Record<string, unknown>>>
  /** Absolute path of the folder that its policy gives the tool; null: none. */
  readonly workspace: string | null
}

/** An MCP request to the client, such as `elicitation/create`. */
export interface Question {
  method: string
  params?: unknown
}

export type LogLevel =
  | 'debug'
  | 'info'
  | 'notice'
  | 'warning'
  | 'error'
  | 'critical'
  | 'alert'
  | 'emergency'
