import { ToolgateError } from '../../errors.ts'
import type { Logger } from '../../telemetry/log.ts'
import type { Declaration } from '../../tool/declaration.ts'
import { ask, type Engine, startFailure, statusOf } from './engine.ts'
import { pullImage } from './pull.ts'

/** An image that the engine has. */
export interface Image {
  /** Names this very content: a tag may lead to another one later. */
  readonly id: string
  /** What to pin it by, such as `ghcr.io/a/b@sha256:…`; the id where it came from no registry. */
  readonly digest: string
  /** The user it runs as; empty: root. */
  readonly user: string
  /** Where it wants folders that outlive it. */
  readonly volumes: readonly string[]
}

export interface ImageOptions {
  readonly engine: Engine
  /** Milliseconds for a whole pull. */
  readonly timeout: number
  readonly log: Logger
  readonly signal?: AbortSignal
}

/**
 * The image that a tool names, pulled where the engine does not have it. Rejects with
 * `tool_failed_to_start` and what the engine said, and with `no_cell` where it does not answer.
 */
export async function prepareImage(name: string, options: ImageOptions): Promise<Image> {
  const { engine, log } = options
  try {
    const found = await findImage(engine, name)
    if (found !== undefined) return found
    await pullImage(name, options)
    const pulled = await findImage(engine, name)
    if (pulled !== undefined) return pulled
  } catch (error) {
    if (!(error instanceof ToolgateError)) log.warn({ image: name, err: error }, 'image not there')
    throw startFailure(error, engine)
  }
  const message = 'The tool could not be started: its image was pulled, and is not there.'
  throw new ToolgateError('tool_failed_to_start', message)
}

/** Undefined where the engine does not have it. */
export async function findImage(engine: Engine, name: string): Promise<Image | undefined> {
  try {
    const { Id, RepoDigests, Config } = await ask(engine.docker.getImage(name).inspect())
    const image = {
      id: Id,
      digest: digestOf(name, RepoDigests ?? []) ?? Id,
      user: Config?.User ?? '',
      volumes: Object.keys(Config?.Volumes ?? {}),
    }
    digests.set(name, image.digest)
    return image
  } catch (error) {
    if (statusOf(error) === 404) return undefined
    throw error
  }
}

/** An image may have come by several names, which engines list whichever they are asked for. */
function digestOf(name: string, listed: readonly string[]): string | undefined {
  const [path = '', digest = ''] = name.split('@')
  const own = `${path.replace(/:[^/]+$/, '')}@${digest}`
  return listed.find((each) => each.startsWith(own)) ?? listed[0]
}

/** The content that a container tool was last started from, or found to have; null: none yet. */
export function imageDigest({ runtime }: Pick<Declaration, 'runtime'>): string | null {
  return runtime.kind === 'container' ? (digests.get(runtime.image) ?? null) : null
}

const digests = new Map<string, string>()
