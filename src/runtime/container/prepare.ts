import type { Config } from '../../config/config.ts'
import type { Declaration, Runtime } from '../../tool/declaration.ts'
import type { Cell } from '../cell/cell.ts'
import type { Program, StartOptions } from '../starting.ts'
import { type Engine, findEngine, startFailure } from './engine.ts'
import { cellHere, reasonOf } from './here.ts'
import { findImage, imageDigest, prepareImage } from './image.ts'

/** Makes an image ready; the program is its id, which no tag can lead away from. */
export async function prepareContainer(
  { image, args }: Extract<Runtime, { kind: 'container' }>,
  { config, log, instance, signal }: StartOptions,
): Promise<Program> {
  const engine = await findEngine(config)
  const { id } = await prepareImage(image, {
    engine,
    timeout: config.timeouts.install,
    log: log.child({ instance }),
    ...(signal !== undefined && { signal }),
  })
  return { program: id, args }
}

/**
 * The cell that a container tool has here, asked anew: an engine comes and goes. Without one it is
 * `missing`, and its refusal names the ways out.
 */
export async function containerCellOf(tool: Declaration, config: Config): Promise<Cell> {
  let engine: Engine
  try {
    engine = await findEngine(config)
  } catch (error) {
    return { kind: 'missing', lines: [], refusals: reasonOf(error as Error) }
  }
  const { runtime } = tool
  if (imageDigest(tool) === null && runtime.kind === 'container') {
    // One that hangs is forgotten, so that the next one who asks is told.
    await findImage(engine, runtime.image).catch((error: unknown) => startFailure(error, engine))
  }
  return cellHere(tool, config, engine, imageDigest(tool))
}
