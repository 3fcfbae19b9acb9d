import { ToolgateError } from '../../errors.ts'
import type { Message } from '../../protocol/message.ts'
import type { Directory } from './directory.ts'
import { findTarget, type Target } from './inward.ts'

export interface FoundTool extends Target {
  /** What it was found in. */
  readonly directory: Directory
}

/**
 * The tool that a request is for, in what is known now; when it turns out that this is still being
 * learned, `wait` gives what is known a little later. Rejects with what `findTarget` throws.
 */
export async function findTool(
  now: Directory,
  request: Message,
  wait: () => Promise<Directory>,
): Promise<FoundTool | undefined> {
  try {
    return found(now, request)
  } catch (thrown) {
    if (!(thrown instanceof ToolgateError) || thrown.code !== 'not_learned') throw thrown
  }
  return found(await wait(), request)
}

function found(directory: Directory, request: Message): FoundTool | undefined {
  const target = findTarget(directory, request)
  return target && { ...target, directory }
}
