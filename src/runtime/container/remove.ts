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

/**
 * Ends and removes the container of an instance, by its mark; `id` as far as it is known. Resolves when it is
 * gone or, where the engine does not answer, when it is on the list of what is tried again. Never
 * rejects.
 */
export async function removeContainer(
  engine: Engine,
  mark: string,
  config: EngineConfig,
  id?: string,
): Promise<void> {
  const name = nameOf(mark)
  let known = id
  const remove = async (from: Engine) => {
    known ??= await findId(from, mark)
    if (known !== undefined) {
      await endContainer(from, known)
      await removeGroups(known)
    }
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

/** Rejects where it may still be there. */
export async function endContainer({ docker }: Engine, id: string): Promise<void> {
  const container = docker.getContainer(id)
  const until = performance.now() + PATIENCE
  for (;;) {
    const status = await ask(container.remove({ force: true, v: true }), PATIENCE).then(
      () => 404,
      (error: unknown) => {
        const status = statusOf(error)
        // The engine is removing it on its own account.
        if (status === 409 || status === 404) return status
        throw error
      },
    )
    if (status === 404) return
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
