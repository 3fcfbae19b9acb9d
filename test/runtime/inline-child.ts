import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { TestContext } from 'node:test'
import { inlineCommand } from '../../src/runtime/inline.ts'
import type { Declaration } from '../../src/tool/declaration.ts'
import { within } from '../harness/until.ts'
import { place } from '../registry/room.ts'

export interface Message {
  id?: unknown
  method?: string
  params?: Record<string, unknown>
  result?: {
    content?: { text: string }[]
    structuredContent?: unknown
    isError?: boolean
    tools?: { name: string; inputSchema: unknown }[]
    [key: string]: unknown
  }
  error?: { code: number; message: string }
}

/** A running inline tool, spoken to over its pipes. */
export interface InlineTool {
  readonly child: ChildProcess
  readonly messages: readonly Message[]
  /** What it wrote to stderr so far. */
  stderr(): string
  send(message: Record<string, unknown>): void
  /** The answer to a request; its id is the method's place in the conversation. */
  ask(method: string, params?: Record<string, unknown>): Promise<Message>
  /** The first message, past or to come, that is as wanted. */
  first(wanted: (message: Message) => boolean): Promise<Message>
  exited(): Promise<number | null>
}

/** Describes a tool with this text, and starts it. `change` happens between the two. */
export async function startInline(
  t: TestContext,
  text: string,
  change: (room: ReturnType<typeof place>) => void = () => {},
  helpers: Readonly<Record<string, string>> = {},
): Promise<InlineTool> {
  const room = place(t)
  for (const [path, helper] of Object.entries(helpers)) room.write(path, helper)
  room.write('tool.ts', text)
  const registry = await room.open({ watch: false })
  await within(30_000, 'a description', registry.settled)
  const { declaration, error } = registry.get('tool') ?? {}
  if (declaration === undefined) throw new Error(`${error?.message} (line ${error?.line})`)
  change(room)
  return converse(t, declaration, room.root)
}

function converse(t: TestContext, declaration: Declaration, workspace: string): InlineTool {
  const { program, args } = inlineCommand(declaration, workspace)
  const child = spawn(program, args, { env: {}, stdio: 'pipe' })
  t.after(() => child.kill('SIGKILL'))
  const exit = once(child, 'exit')
  const messages: Message[] = []
  const waiting = new Set<() => void>()
  let said = ''
  let ids = 0
  child.stderr.on('data', (chunk) => {
    said += chunk
  })
  createInterface(child.stdout).on('line', (line) => {
    messages.push(JSON.parse(line))
    for (const look of waiting) look()
  })
  const send = (message: Record<string, unknown>) => {
    child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`)
  }
  const first = (wanted: (message: Message) => boolean) => {
    const { promise, resolve } = Promise.withResolvers<Message>()
    const look = () => {
      const found = messages.find(wanted)
      if (found === undefined) return
      waiting.delete(look)
      resolve(found)
    }
    waiting.add(look)
    look()
    return within(20_000, 'a message of the tool', promise)
  }
  return {
    child,
    messages,
    stderr: () => said,
    send,
    first,
    ask(method, params = {}) {
      const id = `${++ids}`
      send({ id, method, params })
      return first((message) => message.id === id && message.method === undefined)
    },
    exited: async () => (await within(20_000, 'the exit', exit))[0],
  }
}

/** A tool's text with these functions. */
export function inlineTool(functions: string, top = ''): string {
  return `import { defineTool, fn, inline } from 'toolgate'
import { z } from 'zod'
${top}
export default defineTool({
  title: 'The tool',
  description: 'A tool under test.',
  runtime: inline({ ${functions} }),
})
`
}
