import { encodeComment } from '../protocol/sse.ts'

/** A stream that is sent a comment now and then, so that proxies and clients see it alive. */
export interface Alive {
  comment(bytes: Buffer): void
}

/** Milliseconds between two comments; below the idle limits of common proxies. */
const EVERY = 15_000
const COMMENT = Buffer.from(encodeComment('keep-alive'))

const kept = new Set<Alive>()
let timer: NodeJS.Timeout | undefined

/** One timer for all streams; it runs only while there are any. */
export function keepAlive(stream: Alive): void {
  kept.add(stream)
  timer ??= setInterval(() => {
    for (const each of kept) each.comment(COMMENT)
  }, EVERY).unref()
}

export function letGo(stream: Alive): void {
  kept.delete(stream)
  if (kept.size > 0) return
  clearInterval(timer)
  timer = undefined
}
