import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Owner } from '../harness/gateway.ts'
import { within } from '../harness/until.ts'

const CLIENT = fileURLToPath(new URL('./client.ts', import.meta.url))

/** A client process at work. */
export interface Load {
  /** Ends it as a crash does. */
  kill(): Promise<void>
  /** Ends it, and gives how often what was answered: `session celled: ok`. */
  counts(): Promise<Readonly<Record<string, number>>>
}

/** Starts one on these tools; resolves when sessions, streams and calls of all are open. */
export async function startLoad(
  owner: Owner,
  url: string,
  tools: readonly string[],
): Promise<Load> {
  const child = spawn(process.execPath, [CLIENT, url, ...tools], {
    env: { PATH: process.env.PATH },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const ended = once(child, 'close')
  const kill = async () => {
    child.kill('SIGKILL')
    await ended
  }
  owner.after(kill)
  const said: { counts?: Record<string, number> }[] = []
  const lines = createInterface({ input: child.stdout })
  lines.on('line', (line) => said.push(JSON.parse(line)))
  const early = ended.then(() => {
    throw new Error('the client ended before it was busy')
  })
  await within(60_000, 'the client to be busy', Promise.race([once(lines, 'line'), early]))
  return {
    kill,
    async counts() {
      child.stdin.end()
      await within(10_000, 'the client to end', ended)
      return said.at(-1)?.counts ?? {}
    },
  }
}
