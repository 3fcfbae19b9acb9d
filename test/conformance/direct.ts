import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fixture } from '../harness/fixtures.ts'
import type { Owner } from '../harness/gateway.ts'
import { within } from '../harness/until.ts'

/** What the fixture speaks. */
export type Mode = 'dual' | 'modern' | 'legacy'

/** The URL of the fixture served over HTTP by the SDK itself, with no gateway, until its owner ends. */
export async function serveDirectly(owner: Owner, mode: Mode): Promise<string> {
  const [program = '', ...args] = fixture('everything-http', mode)
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const exit = once(child, 'exit')
  owner.after(async () => {
    child.kill('SIGKILL')
    await exit
  })
  const [url] = await within(10_000, 'its URL', once(createInterface(child.stdout), 'line'))
  return url
}
