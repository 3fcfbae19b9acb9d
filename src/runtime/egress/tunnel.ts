import type { Socket } from 'node:net'
import { pipeline } from 'node:stream/promises'

/**
 * Passes bytes both ways until both sides have said that they are done, or one breaks. `head` is
 * what the tool sent ahead. Never rejects: the ends see how it went.
 */
export async function tunnel(tool: Socket, far: Socket, head: Uint8Array): Promise<void> {
  tool.write('HTTP/1.1 200 Connection Established\r\n\r\n')
  if (head.length > 0) far.write(head)
  await Promise.allSettled([pipeline(tool, far), pipeline(far, tool)])
}
