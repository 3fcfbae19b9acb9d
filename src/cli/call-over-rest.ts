import { describeError } from '../registry/describe-error.ts'
import type { FileError } from '../registry/registry.ts'
import { withSuggestion } from '../tool/closest.ts'

/** A running gateway, and the key to it. */
export interface Door {
  readonly url: string
  readonly key: string | undefined
}

/** What a function takes, as JSON Schema. */
export type InputSchema = Readonly<Record<string, unknown>>

/** The gateway, or the tool, said no; the message is for the reader. */
export class CallFailed extends Error {
  override readonly name = 'CallFailed'
}

/** Milliseconds to wait for a tool that is starting. */
const PATIENCE = 60_000
const PAUSE = 150

/** Asks what the function takes; waits while the tool is not yet known. Throws a CallFailed. */
export async function inputOf(door: Door, tool: string, name: string): Promise<InputSchema> {
  const until = Date.now() + PATIENCE
  for (;;) {
    const detail = (await ask(door, path(tool))) as ToolDetail
    const functions = detail.functions ?? []
    const found = functions.find((one) => one.name === name)
    if (found) return found.inputSchema ?? {}
    const waiting = detail.state === 'loading' || detail.state === 'learning'
    if (!waiting || Date.now() > until) throw new CallFailed(whyNot(detail, tool, name))
    await new Promise((resolve) => setTimeout(resolve, PAUSE))
  }
}

/** The result of one call. Throws a CallFailed. */
export function callFunction(door: Door, tool: string, name: string, input: unknown) {
  return ask(door, `${path(tool)}/${encodeURIComponent(name)}`, input)
}

/** Nothing listens where the gateway was looked for. */
export class NobodyThere extends CallFailed {}

interface ToolDetail {
  readonly state?: string
  readonly functions?: readonly { readonly name: string; readonly inputSchema?: InputSchema }[]
  /** Absent where there is none. */
  readonly errors?: readonly (Partial<FileError> & Pick<FileError, 'message'>)[]
}

function whyNot({ functions = [], errors = [] }: ToolDetail, tool: string, name: string): string {
  if (functions.length === 0 && errors.length > 0)
    return errors.map((error) => describeError({ file: tool, ...error })).join('\n')
  const names = functions.map((one) => one.name)
  const missing = withSuggestion(`${tool} has no function "${name}"`, name, names)
  return `${missing}; it has ${names.join(', ') || 'none yet'}`
}

function path(tool: string): string {
  return `/v1/tools/${encodeURIComponent(tool)}`
}

async function ask({ url, key }: Door, route: string, body?: unknown): Promise<unknown> {
  const response = await reach(url, route, {
    headers: {
      accept: 'application/json',
      ...(key !== undefined && { authorization: `Bearer ${key}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { method: 'POST', body: JSON.stringify(body) }),
  })
  const answer = parse(await response.text())
  if (response.ok && answer !== undefined) return answer
  throw new CallFailed(describeProblem(response.status, answer, url))
}

async function reach(url: string, route: string, request: RequestInit): Promise<Response> {
  if (!URL.canParse(route, url)) throw new CallFailed(`"${url}" is no URL`)
  try {
    return await fetch(new URL(route, url), request)
  } catch (error) {
    const cause = (error as Error).cause as NodeJS.ErrnoException | undefined
    if (cause?.code === 'ECONNREFUSED') throw new NobodyThere(`nothing listens on ${url}`)
    throw new CallFailed(`${url} cannot be reached: ${cause?.message ?? error}`)
  }
}

function describeProblem(status: number, answer: unknown, url: string): string {
  const { detail, title, errors, inputRequests } = (answer ?? {}) as {
    readonly detail?: string
    readonly title?: string
    readonly errors?: readonly { readonly path: string; readonly message: string }[]
    readonly inputRequests?: Readonly<Record<string, InputRequest>>
  }
  if (inputRequests !== undefined) return describeQuestions(inputRequests)
  const said = detail ?? title ?? `${url} answered ${status}, which is no answer of a gateway`
  return [said, ...(errors ?? []).map((one) => `  ${one.path}: ${one.message}`)].join('\n')
}

interface InputRequest {
  readonly method: string
  readonly params?: {
    readonly message?: string
    readonly url?: string
    readonly requestedSchema?: { readonly properties?: object }
  }
}

/** There is nobody here who could be asked. */
function describeQuestions(requests: Readonly<Record<string, InputRequest>>): string {
  const questions = Object.entries(requests).map(([key, { method, params = {} }]) => {
    const { message, url, requestedSchema } = params
    const fields = Object.keys(requestedSchema?.properties ?? {})
    const what = [message, url, fields.length > 0 && `(${fields.join(', ')})`]
    return `  ${key}: ${what.filter((part) => part).join(' ') || method}`
  })
  return [
    'the function asks for input, which toolgate call cannot give:',
    ...questions,
    'call it with an MCP client that can be asked, or over REST with POST /v1/continuations',
  ].join('\n')
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
