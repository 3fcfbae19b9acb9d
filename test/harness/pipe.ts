import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Owner } from './gateway.ts'
import { within } from './until.ts'

export type Json = Record<string, unknown>

export interface Pipe {
  readonly pid: number
  /** Every line it has written, without its end. */
  readonly lines: readonly string[]
  send(message: Json): void
  /** Sends a request and waits for the message with its id. */
  request(method: string, params?: unknown): Promise<Json>
  waitFor(what: string, predicate: (message: Json) => boolean): Promise<Json>
  endStdin(): void
  /** Settles with the exit code, or with the signal that ended it. */
  readonly exit: Promise<number | string>
}

/** Speaks to a stdio server over its pipes, one JSON message a line, with nothing in between. */
export function openPipe(owner: Owner, command: readonly string[]): Pipe {
  const [program = '', ...args] = command
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'ignore'] })
  const lines: string[] = []
  const messages: Json[] = []
  const looks = new Set<() => void>()
  child.stdin.on('error', () => {})
  readLines(child.stdout, (line) => {
    lines.push(line)
    const message = parse(line)
    if (message) messages.push(message)
    for (const look of [...looks]) look()
  })
  const exit = once(child, 'exit').then(([code, signal]) => code ?? signal)
  owner.after(async () => {
    child.kill('SIGKILL')
    await exit
  })
  const waitFor: Pipe['waitFor'] = (what, predicate) => {
    let look = () => {}
    const found = new Promise<Json>((resolve) => {
      look = () => {
        const message = messages.find(predicate)
        if (message) resolve(message)
      }
      looks.add(look)
      look()
    })
    return within(10_000, what, found).finally(() => looks.delete(look))
  }
  const send = (message: Json) =>
    void child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`)
  let ids = 0
  const request: Pipe['request'] = (method, params) => {
    const id = ++ids
    send({ id, method, ...(params === undefined ? {} : { params }) })
    return waitFor(`an answer to ${method}`, (message) => message.id === id && !message.method)
  }
  return {
    pid: child.pid ?? -1,
    lines,
    send,
    request,
    waitFor,
    endStdin: () => child.stdin.end(),
    exit,
  }
}

function readLines(stream: NodeJS.ReadableStream, take: (line: string) => void): void {
  let rest = ''
  stream.setEncoding('utf8')
  stream.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n')
    rest = (lines.pop() ?? '').slice(-1_000_000)
    for (const line of lines) take(line)
  })
}

function parse(line: string): Json | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null && 'jsonrpc' in value
      ? { ...value }
      : undefined
  } catch {
    return undefined
  }
}
