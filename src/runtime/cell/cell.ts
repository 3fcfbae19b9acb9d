/**
 * How a tool is isolated. `permission`: by Node's own model, for inline tools where nothing else is;
 * `none`: not at all, because somebody said so; `missing`: it has to be and cannot, so it is refused.
 */
export type CellKind = 'bubblewrap' | 'container' | 'permission' | 'none' | 'missing'

/** What an instance may touch, resolved from its declaration and this host. */
export interface Cell {
  readonly kind: CellKind
  /** Every line of it, in the order in which they are shown. */
  readonly lines: readonly CellLine[]
  /** What cannot be enforced here, so that the tool does not start: what it is, and what to do. */
  readonly refusals: readonly string[]
}

/** One thing that a tool is given or denied. */
export interface CellLine {
  /** Such as `network`, `memory`, `/workspace`. */
  readonly what: string
  /** Such as `none`, `at most 256 MB`, `read-only`. */
  readonly rule: string
  /** What enforces it, such as `network namespace`, `cgroup v1`, `seccomp`; null: nothing does. */
  readonly by: string | null
}
