import type { Faults, Window } from './loop.ts'

/** Where a load process aims: MCP over HTTP, or the pipes of tool processes of its own. */
export type Aim =
  | { readonly kind: 'http' | 'modern'; readonly url: string }
  | {
      readonly kind: 'pipes'
      readonly command: readonly string[]
      /** A process for the next session is spawned when one ends; the first has none. */
      readonly ahead?: boolean
    }

/** What a load process can be told; times in ms. */
export interface Orders {
  /**
   * Opens sessions beside those that are open; `listen` opens their streams as well. Answers how
   * many processes serve all that are open.
   */
  open(order: { sessions: number; listen: boolean }): number
  /** Opens and closes sessions one after another: time from nothing to the first `tools/list`. */
  setUp(order: { times: number }): number[]
  /** Load on the first `sessions`. */
  run(order: { sessions: number; settle: number; span: number; pid: number | null }): Window
  /** `times` results of `bytes` on the first session; CPU of the process `pid` for one of them. */
  large(order: { bytes: number; times: number; pid: number | null }): {
    times: number[]
    cpu: number | null
  }
  /** Progress in one burst with the answer: how many of `times` came whole and in order. */
  burst(order: { times: number }): number
  /** Starts a call on each of the last `sessions` that is not answered soon, and leaves it. */
  hang(order: { sessions: number }): null
  /** Ends every session as a client should. */
  close(order: Record<string, never>): null
  faults(order: Record<string, never>): Faults
}

export type OrderName = keyof Orders

/** A numbered order to a load process, and what it says when that is done. */
export interface Sent {
  readonly at: number
  readonly name: OrderName
  readonly order: unknown
}
export interface Done {
  readonly at: number
  readonly value?: unknown
  readonly failure?: string
}
