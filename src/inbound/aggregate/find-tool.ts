import { ToolgateError } from '../../errors.ts'
import type { Message } from '../../protocol/message.ts'
import type { Directory } from './directory.ts'
import { findTarget, type Target } from './inward.ts'

export interface FoundTool extends Target {
  /** What it was found in. */
  readonly directory: Directory
}

export interface FindParts {
  /** What is known now. */
  readonly now: Directory
  /** What is known a little later. */
  later(): Promise<Directory>
  /** A tool has said that its lists changed, and has not been asked since. */
  readonly stale?: boolean
}

/**
 * The tool that a request is for. What is not found is looked for again a little later, where that
 * may help. Rejects with what `findTarget` throws.
 */
export async function findTool(
  { now, later, stale = false }: FindParts,
  request: Message,
): Promise<FoundTool | undefined> {
  try {
    return found(now, request)
  } catch (thrown) {
    if (!(thrown instanceof ToolgateError)) throw thrown
    if (!stale && thrown.code !== 'not_learned') throw thrown
  }
  return found(await later(), request)
}

function found(directory: Directory, request: Message): FoundTool | undefined {
  const target = findTarget(directory, request)
  return target && { ...target, directory }
}
