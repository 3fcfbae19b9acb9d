import { join } from 'node:path'
import { FORWARDER } from './variables.ts'

/** Files that a cell has to show for `forwarded`, besides Node itself. */
export const FORWARD = join(import.meta.dirname, 'forward.js')

/**
 * The program with the way to the egress proxy before it, to be run in its cell. `socket` is the
 * path of the proxy's socket as the cell sees it; loopback has to be up.
 */
export function forwarded(
  socket: string,
  { program, args }: { readonly program: string; readonly args: readonly string[] },
): { program: string; args: string[] } {
  // The variables are the program's; to Node itself they would cost as much as its whole start.
  const node = ['--no-use-env-proxy', FORWARD, String(FORWARDER.port), socket]
  return { program: process.execPath, args: [...node, program, ...args] }
}
