import { setTimeout as pause } from 'node:timers/promises'
import { GATEWAY } from '../../mark.ts'
import { ask, type Engine } from './engine.ts'
import { LABEL } from './labels.ts'

/**
 * Listens for containers of ours that run out of memory: an engine that removes a container at its
 * end does not say so afterwards. One stream for each engine, opened anew where it broke.
 */
export async function watchMemory(engine: Engine): Promise<void> {
  const known = streams.get(engine)
  if (known !== undefined) return known
  const opening = open(engine)
  streams.set(engine, opening)
  // Without it everything works, and an end has one reason less.
  return opening.catch(() => void streams.delete(engine))
}

/** Whether that was heard of the container; it may be told a moment after its end. */
export async function ranOutOfMemory(id: string): Promise<boolean> {
  for (let looks = 0; looks < LOOKS && !short.has(id); looks += 1) await pause(POLL)
  return short.has(id)
}

/** It has ended, and nobody asks any more. */
export function forgetMemory(id: string): void {
  short.delete(id)
}

const streams = new WeakMap<Engine, Promise<void>>()
/** Ids of containers, until somebody asks. */
const short = new Set<string>()

async function open(engine: Engine): Promise<void> {
  const filters = { event: ['oom'], label: [`${LABEL.gateway}=${GATEWAY}`] }
  const stream = await ask(engine.docker.getEvents({ filters }))
  const socket = (stream as unknown as { socket?: { unref(): void } }).socket
  // It alone keeps no gateway from ending.
  socket?.unref()
  let rest = ''
  stream.on('data', (chunk: Buffer) => {
    const lines = (rest + chunk.toString('utf8')).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) note(line)
  })
  stream.on('error', () => {}).once('close', () => streams.delete(engine))
}

function note(line: string): void {
  try {
    const { Actor, id } = JSON.parse(line) as { Actor?: { ID?: string }; id?: string }
    const named = Actor?.ID ?? id
    if (named !== undefined && short.size < MOST) short.add(named)
  } catch {
    // It is no event.
  }
}

/** Milliseconds. */
const POLL = 50
const LOOKS = 6
const MOST = 1_000
