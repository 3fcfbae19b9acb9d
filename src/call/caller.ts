/** Who is asking. */
export interface Caller {
  /** Key id, or `anonymous`. */
  readonly id: string
  readonly anonymous: boolean
  readonly roles: readonly string[]
  readonly scopes: readonly string[]
}
