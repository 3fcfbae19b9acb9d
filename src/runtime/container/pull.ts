import type { Readable } from 'node:stream'
import { ToolgateError } from '../../errors.ts'
import type { Logger } from '../../telemetry/log.ts'
import type { Engine } from './engine.ts'
import type { ImageOptions } from './image.ts'
import { PullProgress } from './progress.ts'

/** Pulls an image, once for all who want it at the same time, and as long as one of them does. */
export async function pullImage(name: string, options: ImageOptions): Promise<void> {
  const running = pulls.get(name) ?? begin(name, options)
  await waitFor(running, options.signal).finally(() => {
    if (running.waiting > 0) return
    running.end.abort(new Error('given up'))
    if (pulls.get(name) === running) pulls.delete(name)
  })
}

interface Pull {
  readonly done: Promise<void>
  readonly end: AbortController
  waiting: number
}

const pulls = new Map<string, Pull>()

function begin(name: string, { engine, timeout, log }: ImageOptions): Pull {
  const end = new AbortController()
  const running = { done: pull(engine, name, timeout, log, end), end, waiting: 0 }
  pulls.set(name, running)
  return running
}

/** Who gives up leaves the others waiting. */
async function waitFor(running: Pull, signal: AbortSignal | undefined): Promise<void> {
  const left = Promise.withResolvers<never>()
  const leave = () => left.reject(failure('the start was given up'))
  running.waiting += 1
  signal?.addEventListener('abort', leave)
  if (signal?.aborted) leave()
  try {
    await Promise.race([running.done, left.promise])
  } finally {
    signal?.removeEventListener('abort', leave)
    running.waiting -= 1
  }
}

async function pull(
  engine: Engine,
  name: string,
  timeout: number,
  log: Logger,
  end: AbortController,
): Promise<void> {
  const began = performance.now()
  const late = `its image was not pulled within ${timeout} ms`
  const timer = setTimeout(() => end.abort(failure(late)), timeout)
  log.info({ image: name }, 'image is being pulled')
  try {
    const progress = new PullProgress((fields) =>
      log.info({ image: name, ...fields }, 'image pull'),
    )
    const stream = await request(engine, name, end.signal)
    for await (const chunk of stream) progress.push(chunk as Buffer)
    if (progress.error !== undefined) {
      throw failure(`its image could not be pulled: the container engine says: ${progress.error}`)
    }
    log.info({ image: name, ms: Math.round(performance.now() - began) }, 'image pulled')
  } catch (error) {
    const reason: unknown = end.signal.aborted ? end.signal.reason : error
    if (!(reason instanceof ToolgateError) && end.signal.aborted) {
      log.info({ image: name }, 'image is not wanted any more')
    }
    throw reason
  } finally {
    clearTimeout(timer)
  }
}

/** Of a name without a tag the engine would pull all of them. */
function request({ docker }: Engine, name: string, signal: AbortSignal): Promise<Readable> {
  const query = { fromImage: isExact(name) ? name : `${name}:latest` }
  return new Promise((resolve, reject) => {
    docker.modem.dial(
      {
        path: '/images/create?',
        method: 'POST',
        isStream: true,
        abortSignal: signal,
        statusCodes: { 200: true, 404: 'no such image', 500: 'server error' },
        options: { _query: query, _body: {} },
      } as never,
      (error: unknown, stream: unknown) => {
        if (error) return reject(error)
        const readable = stream as Readable
        signal.addEventListener('abort', () => readable.destroy(new Error('given up')))
        resolve(readable)
      },
    )
  })
}

/** The port of a registry is no tag. */
function isExact(name: string): boolean {
  return name.includes('@') || /:[^/]+$/.test(name)
}

function failure(why: string): ToolgateError {
  return new ToolgateError('tool_failed_to_start', `The tool could not be started: ${why}.`)
}
