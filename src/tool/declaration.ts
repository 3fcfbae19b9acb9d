/**
 * A tool's file as plain, validated data. Durations are milliseconds, sizes are bytes.
 * Only data crosses from the child that reads the file; functions stay behind.
 */
export interface Declaration {
  /** The file's name without its ending: `[A-Za-z0-9_-]{1,64}` without `__`. */
  readonly name: string
  /** Content hash over the file and every file it loaded; another text is another version. */
  readonly version: string
  /** Absolute path of the file in the tools folder. */
  readonly file: string
  readonly description: string
  readonly title?: string
  readonly tags: readonly string[]
  readonly runtime: Runtime
  readonly policy: Policy
  readonly mode: Mode
  /** Bound of one call; null: the configuration's `timeouts.call`. */
  readonly timeout: number | null
  /** How long an unused instance is kept; null: the default of its mode. */
  readonly idle: number | null
  /** Of a daemon: how many are kept running, and the most there may be. */
  readonly instances: { readonly min: number; readonly max: number }
  /**
   * Spare instances of a launcher that are kept started for the next session; `initialized`: those
   * of legacy sessions have been told an `initialize`, too.
   */
  readonly warm: { readonly spares: number; readonly initialized: boolean }
  readonly limits: Limits | null
  readonly access: { readonly scopes: readonly string[]; readonly roles: readonly string[] }
  /** Skips the era probe. */
  readonly era: 'legacy' | 'modern' | null
}

export type Mode = 'launcher' | 'daemon'

export type Runtime =
  | { readonly kind: 'command'; readonly program: string; readonly args: readonly string[] }
  | {
      readonly kind: 'npm'
      readonly package: string
      readonly version: string
      readonly args: readonly string[]
    }
  | { readonly kind: 'container'; readonly image: string; readonly args: readonly string[] }
  | {
      readonly kind: 'inline'
      readonly functions: readonly FunctionDeclaration[]
      /** Path of this version's stored text, which is what runs, whatever the file says by now. */
      readonly sources?: string
    }

/** What `tools/list` says of one function. Schemas are JSON Schema 2020-12. */
export interface FunctionDeclaration {
  readonly name: string
  readonly title?: string
  readonly description?: string
  readonly inputSchema: JsonSchema
  readonly outputSchema?: JsonSchema
  readonly annotations?: Readonly<Record<string, unknown>>
}

export type JsonSchema = Readonly<Record<string, unknown>>

/** What a tool is given; everything else is denied. */
export interface Policy {
  readonly network: 'none' | 'egress' | 'host' | { readonly allow: readonly string[] }
  readonly workspace: WorkspacePolicy
  readonly files: { readonly read: readonly string[]; readonly write: readonly string[] }
  /** Names of variables of the gateway's environment that the tool gets. */
  readonly env: readonly string[]
  /** Variable name to source, as `parseSource` reads it; never to a value. */
  readonly secrets: Readonly<Record<string, string>>
  readonly memory: number | null
  readonly cpus: number | null
  readonly processes: number | null
  readonly sandbox: 'required' | 'none'
  readonly container: ContainerPolicy
}

/** The folder that a tool has below the workspace. */
export interface WorkspacePolicy {
  readonly access: 'none' | 'read-only' | 'read-write'
  /** Who shares it: all of the tool's callers, the sessions of one caller, or nobody. */
  readonly per: 'tool' | 'caller' | 'session'
}

export interface ContainerPolicy {
  readonly readOnly: boolean
  readonly capAdd: readonly string[]
  readonly capDrop: readonly string[]
  readonly securityOpt: readonly string[]
  readonly tmpfs: readonly string[]
  readonly user: string | null
}

export interface Limits {
  /** Calls in each `per`. */
  readonly calls: number
  /** Milliseconds. */
  readonly per: number
  /** Calls allowed on top, in a burst. */
  readonly burst: number
}
