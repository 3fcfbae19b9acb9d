/**
 * Milliseconds after which a tool that could not be asked is asked again. What the machine lacks, such
 * as a container engine, costs little to look for, and may be back in a moment.
 */
export function retryAfter(code: string | undefined): number {
  return code === 'no_cell' ? 2_000 : 30_000
}
