import { ToolgateError } from '../../errors.ts'
import type { Message } from '../../protocol/message.ts'
import type { Directory } from './directory.ts'
import { findTarget, type Target } from './inward.ts'

/**
 * The tool that a request is for, in what is known now; when it turns out that this is still being
 * learned, `wait` gives what is known a little later. Throws what `findTarget` throws.
 */
export async function findTool(
  now: Directory,
  request: Message,
  wait: () => Promise<Directory>,
): Promise<{ readonly directory: Directory; readonly target: Target }> {
  try {
    return { directory: now, target: findTarget(now, request) }
  } catch (thrown) {
    if (!(thrown instanceof ToolgateError) || thrown.code !== 'not_learned') throw thrown
  }
  const directory = await wait()
  return { directory, target: findTarget(directory, request) }
}
