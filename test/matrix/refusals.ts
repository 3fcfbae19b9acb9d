/** A tool of the matrix: what it speaks (`inline`: functions in its file), and how it is run. */
export interface Kind {
  readonly speaks: 'legacy' | 'modern' | 'dual' | 'inline'
  readonly mode: 'launcher' | 'daemon'
}

/** What a tool of this kind does not have at all. */
export function lacks({ speaks }: Kind, feature: string): boolean {
  return speaks === 'inline' && LISTED.includes(feature)
}

const LISTED = ['prompt', 'resource', 'list change', 'resource update']

/** What is refused on purpose, and the reason that the table gives. */
export interface Refusal {
  readonly features: readonly string[]
  of(tool: Kind): boolean
  /** How it is seen. */
  readonly seen: RegExp
  readonly reason: string
}

export const REFUSALS: readonly Refusal[] = [
  {
    features: ['sampling', 'elicitation', 'roots'],
    of: ({ mode, speaks }) => mode === 'daemon' && speaks === 'legacy',
    seen: /did not declare the required capability/,
    reason:
      'Nothing can be asked on a process that all share: a legacy tool does not say for which of its calls it asks.',
  },
  {
    features: ['log'],
    of: ({ mode, speaks }) => mode === 'daemon' && speaks !== 'inline',
    seen: /the logs did not come/,
    reason:
      'Logs are not sent from a process that all share: they do not say of whose call they are. They go to the log of the gateway.',
  },
]
