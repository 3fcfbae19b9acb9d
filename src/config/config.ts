import type { Limits } from '../tool/declaration.ts'

/** The configuration, whole and frozen. Durations are milliseconds, sizes are bytes. */
export interface Config {
  readonly listen: {
    readonly host: string
    readonly port: number
    /** Port of `/metrics`, on `metricsHost`; null: off. */
    readonly metrics: number | null
    readonly metricsHost: string
  }
  /** Extra host names accepted in `Host`. Empty: loopback names and the bound address only. */
  readonly hosts: readonly string[]
  /** Origins accepted besides the same host; `*` accepts all and warns. */
  readonly origins: readonly string[]
  /** Absolute path of the tools folder. */
  readonly tools: string
  /** Absolute path of the workspace root; each tool has its own folder below it. */
  readonly workspace: string
  /** Absolute path of what may be lost: described tools, learned catalogues, npm packages. */
  readonly cache: string
  readonly timeouts: {
    readonly install: number
    readonly start: number
    readonly call: number
    readonly ask: number
    /** An unused shared process is stopped after it; a tool's own `idle` wins. */
    readonly idle: number
    readonly drain: number
    /** Each step of ending a process: stdin closed, then TERM, then KILL. */
    readonly stdin: number
    readonly term: number
  }
  readonly sessions: {
    readonly resume: number
    readonly idle: number
    readonly max: number
    /** Most sessions of one tool. */
    readonly perTool: number
    /** Most events kept for resumption in one session. */
    readonly events: number
    /** Most calls of one caller of one tool that wait for what they asked of it. */
    readonly parked: number
  }
  readonly limits: Limits
  /** `required`: a tool runs in its cell or not at all; `none`: no tool has one. */
  readonly sandbox: 'required' | 'none'
  /** What a tool in a cell has where its file does not say. */
  readonly cells: {
    readonly memory: number
    readonly processes: number
    /** Of its private `/tmp`. */
    readonly tmp: number
    /** Of its folder in the workspace. */
    readonly disk: number
    /** Under root, the users that tools run as, one for each: first and last user id. */
    readonly users: UserRange
  }
  readonly engine: {
    /** Path of a Docker or Podman socket; null: `DOCKER_HOST`, then the usual places. */
    readonly socket: string | null
  }
  readonly pool: {
    /** Most processes of all tools together. */
    readonly instances: number
    /** Most processes that are started at the same time. */
    readonly starts: number
    /** Most sessions and calls that wait for a process of one tool. */
    readonly queue: number
    /** How long they wait. */
    readonly wait: number
  }
  readonly sizes: {
    readonly body: number
    readonly line: number
    /** Most bytes kept for resumption in one session. */
    readonly events: number
  }
  readonly keys: readonly Key[]
  /** Signs what clients carry between two requests; null: a new one at each start. */
  readonly stateKey: string | null
  /** A public bind without keys is refused unless this is true. */
  readonly unauthenticated: boolean
  readonly telemetry: {
    /** OTLP/HTTP base URL, such as `http://127.0.0.1:4318`; null: nothing is exported. */
    readonly endpoint: string | null
    /** Share of new traces that are sampled, 0 to 1. */
    readonly sample: number
  }
  readonly log: { readonly level: 'debug' | 'info' | 'warn' | 'error' }
  /** The environment the gateway was started with; a tool gets the few names its policy lists. */
  readonly environment: Readonly<Record<string, string | undefined>>
}

export interface UserRange {
  readonly first: number
  readonly last: number
}

/** An API key as the configuration stores it: never the key, only its hash. */
export interface Key {
  readonly id: string
  /** `sha256:` and 64 hexadecimal digits. */
  readonly hash: string
  readonly roles: readonly string[]
  readonly scopes: readonly string[]
}
