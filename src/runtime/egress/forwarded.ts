import { join } from 'node:path'
import { FORWARDER } from './variables.ts'

/** The forwarder's file; it needs no other one. */
export const FORWARD = join(import.meta.dirname, 'forward.js')

/**
 * What stands before a program that is to reach the egress proxy: the words that start the
 * forwarder, which starts it. `node`, `forward` and `socket` are paths as the cell has them; in
 * it, loopback has to be up.
 */
export function forwardWords(node: string, forward: string, socket: string): string[] {
  // The variables are the program's; to the forwarder they would cost as much as its whole start.
  return [node, '--no-use-env-proxy', forward, String(FORWARDER.port), socket]
}
