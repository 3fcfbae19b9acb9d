import { setTimeout as pause } from 'node:timers/promises'
import type { EngineConfig } from './address.ts'
import { ask, type Engine, findAgain, statusOf } from './engine.ts'
import { removeGroups } from './groups.ts'

/** Names of the containers that this gateway has, or is about to have. */
export const owned = new Set<string>()

/** How to remove what could not be, the engine being gone, by its name. */
const left = new Map<string, () => Promise<unknown>>()

/** Something of ours may still be there, which only a later gateway can remove if this one ends. */
export function somethingLeft(): boolean {
  return left.size > 0
}

/** Tries again and again, until it resolves. */
export function removeLater(name: string, remove: () => Promise<unknown>): void {
  left.set(name, remove)
  timer ??= setInterval(() => void tryAgain(), AGAIN).unref()
}

/** Of the container of an instance, by its mark. */
export function nameOf(mark: string): string {
  return `toolgate-${mark}`
}

/** A request to make the container of an instance, which an engine may heed after all. */
export interface Making {
  readonly mark: string
  /** Of the container, once it is known. */
  id?: string
  /** The engine has said what became of it, or has ended. */
  answered: boolean
}

/**
 * Ends and removes the container of an instance. Resolves when it is gone or, where the engine does
 * not answer, when it is on the list of what is tried again. Never rejects.
 */
export async function removeContainer(
  engine: Engine,
  making: Making,
  config: EngineConfig,
): Promise<void> {
  const name = nameOf(making.mark)
  const remove = async (from: Engine) => {
    const { answered } = making
    const id = making.id ?? (await findId(from, making.mark))
    if (id !== undefined) {
      await endContainer(from, id)
      await removeGroups(id)
    } else if (!answered) throw new Error('the engine may make it yet')
    owned.delete(name)
  }
  try {
    await remove(engine)
  } catch {
    removeLater(name, async () => remove(await findAgain(config)))
  }
}

/** One that an engine could not remove loses its name, and is there all the same with its labels. */
async function findId({ docker }: Engine, mark: string): Promise<string | undefined> {
  const filters = { label: [`toolgate.instance=${mark}`] }
  const [found] = await ask(docker.listContainers({ all: true, filters }), PATIENCE)
  return found?.Id
}

/**
 * Whether it was there: after a crash an engine may list one that it has removed. Rejects where it
 * may still be there.
 */
export async function endContainer({ docker }: Engine, id: string): Promise<boolean> {
  const container = docker.getContainer(id)
  const until = performance.now() + PATIENCE
  for (let seen = false; ; seen = true) {
    try {
      await ask(container.remove({ force: true, v: true }), PATIENCE)
      return true
    } catch (error) {
      if (statusOf(error) === 404) return seen
      // The engine is removing it on its own account.
      if (statusOf(error) !== 409) throw error
    }
    if (performance.now() > until) throw new Error('it is not removed')
    await pause(POLL)
  }
}

let timer: NodeJS.Timeout | undefined
let trying = false

async function tryAgain(): Promise<void> {
  if (trying) return
  trying = true
  for (const [name, remove] of [...left]) {
    try {
      await remove()
      left.delete(name)
    } catch {
      // The next time.
    }
  }
  trying = false
  if (left.size > 0) return
  clearInterval(timer)
  timer = undefined
}

/** Milliseconds. */
const AGAIN = 2_000
const PATIENCE = 5_000
const POLL = 50
