import { setTimeout as pause } from 'node:timers/promises'
import type { Config } from '../../config/config.ts'
import type { EngineConfig } from './address.ts'
import { ask, type Engine, findAgain, statusOf } from './engine.ts'
import { removeGroups } from './groups.ts'
import { LABEL } from './labels.ts'
import { forgetMaking } from './used.ts'

/** Marks of the instances whose containers this gateway has, or is about to have. */
export const owned = new Set<string>()

/** Nothing is there for it any more; what is tried again stays owned until then. */
export function disown(mark: string): void {
  if (!left.has(mark)) owned.delete(mark)
}

/** How to remove what could not be, the engine being gone, by its mark or its name. */
const left = new Map<string, () => Promise<unknown>>()

/**
 * Something of ours may still be there, which only a later gateway can remove if this one ends: what
 * could not be removed, and what an engine is about to make or start.
 */
export function somethingLeft(): boolean {
  return left.size + owned.size > 0
}

/**
 * Resolves when no container is being made, ended or removed, but for those whose engine does not
 * answer; within a bound.
 */
export async function allRemoved(): Promise<void> {
  const until = performance.now() + ALL
  const underWay = () => [...owned].some((mark) => !left.has(mark))
  while (underWay() && performance.now() < until) await pause(POLL)
}

/** Tries again and again, until it resolves. */
export function removeLater(what: string, remove: () => Promise<unknown>): void {
  left.set(what, remove)
  timer ??= setInterval(() => void tryAgain(), AGAIN).unref()
}

/** What is known of the container of an instance. */
export interface Making {
  readonly mark: string
  /** Once the engine has told it. */
  id?: string
  /** The engine was asked for one, and has not refused: it may make it when nobody waits any more. */
  open: boolean
}

/**
 * Ends and removes the container of an instance. Resolves when it is gone or, where the engine does
 * not answer, when it is on the list of what is tried again. Never rejects.
 */
export async function removeContainer(
  engine: Engine,
  making: Making,
  config: EngineConfig & Pick<Config, 'cache'>,
): Promise<void> {
  const { mark } = making
  let looks = 0
  const remove = async (from: Engine) => {
    const id = making.id ?? (await findId(from, mark))
    if (id !== undefined) {
      await endContainer(from, id)
      if (!(await removeGroups(id))) throw new Error('its control groups stay')
    } else if (making.open && ++looks < LOOKS) throw new Error('it may be made yet')
    await forgetMaking(config.cache, mark, id)
  }
  try {
    await remove(engine)
  } catch {
    removeLater(mark, async () => {
      await remove(await findAgain(config))
      owned.delete(mark)
    })
  }
}

/** One that an engine could not remove loses its name, and is there all the same with its labels. */
async function findId({ docker }: Engine, mark: string): Promise<string | undefined> {
  const filters = { label: [`${LABEL.instance}=${mark}`] }
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
  for (const [what, remove] of [...left]) {
    try {
      await remove()
      left.delete(what)
    } catch {
      // The next time.
    }
  }
  trying = false
  if (left.size > 0) return
  clearInterval(timer)
  timer = undefined
}

/** Of one that may be made yet: for a minute, as it is tried again. */
const LOOKS = 30

/** Milliseconds. */
const AGAIN = 2_000
const PATIENCE = 5_000
const POLL = 50
const ALL = 10_000
