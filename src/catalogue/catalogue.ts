import type { Spoken } from '../pool/lease.ts'
import type { Era, JsonObject } from '../protocol/message.ts'
import type { Declaration, FunctionDeclaration } from '../tool/declaration.ts'

/** What one version of a tool can do. */
export interface Learned {
  readonly era: Era
  /** It speaks modern, and serves a legacy session too. */
  readonly dual: boolean
  /** The result of `initialize`, or of `server/discover` of a modern one, as the process said it. */
  readonly initialize: Readonly<Record<string, unknown>>
  readonly functions: readonly FunctionDeclaration[]
  /** What it lists besides, as it said it; empty where it has none. */
  readonly prompts: readonly JsonObject[]
  readonly resources: readonly JsonObject[]
  readonly templates: readonly JsonObject[]
}

export type LearnState =
  | { readonly state: 'learning' /** Of the try before. */; readonly error?: string }
  | { readonly state: 'learned'; readonly learned: Learned }
  | {
      readonly state: 'failed'
      readonly error: string
      /** What callers are told it is; absent: `tool_failed_to_start`. */
      readonly code?: 'no_cell'
      readonly at: number
    }

/** What each tool version can do: learned once, refreshed on list_changed, kept by content hash. */
export interface Catalogue {
  /** What is known now; starts learning where nothing is. Never waits. */
  look(tool: Declaration): LearnState
  /** The same without starting anything; undefined: never looked at. */
  peek(tool: Declaration): LearnState | undefined
  /** Waits for it; throws `not_learned` or what the tool failed with. */
  learn(tool: Declaration): Promise<Learned>
  /** Which eras it speaks; waits for no more than that. Legacy where that cannot be found out. */
  spoken(tool: Declaration): Spoken | Promise<Spoken>
  /** Called when a tool's functions became known or changed. */
  onChange(listener: (tool: string) => void): void
}
