import type { AnyFunction, RunContext } from '../tool/options.ts'

/** An MCP `tools/call` result. */
export interface FunctionResult {
  readonly content: readonly { readonly type: 'text'; readonly text: string }[]
  readonly structuredContent?: unknown
  readonly isError?: true
}

/**
 * Runs one function. Wrong arguments are an answer with `isError`, as the specification has it
 * since 2025-11-25, so that a model can mend them; what is thrown shows its message only.
 */
export async function callFunction(
  name: string,
  { input, output, run }: AnyFunction,
  args: unknown,
  context: RunContext,
): Promise<FunctionResult> {
  try {
    const given = await input.safeParseAsync(args ?? {})
    if (!given.success) {
      const what = list(given.error.issues)
      return failed(`Input validation error: Invalid arguments for ${name}: ${what}`)
    }
    const answer = await run(given.data as never, context)
    if (output === undefined) return { content: content(answer) }
    const checked = await output.safeParseAsync(answer)
    if (!checked.success) {
      const what = list(checked.error.issues)
      return failed(`Output validation error: Invalid structured content of ${name}: ${what}`)
    }
    return { content: content(checked.data), structuredContent: checked.data }
  } catch (error) {
    return failed(error instanceof Error ? error.message : String(error))
  }
}

function failed(text: string): FunctionResult {
  return { content: [{ type: 'text', text }], isError: true }
}

/** A text as it is, anything else as JSON, nothing as nothing. */
function content(answer: unknown): FunctionResult['content'] {
  const text = typeof answer === 'string' ? answer : JSON.stringify(answer)
  return text === undefined ? [] : [{ type: 'text', text }]
}

function list(issues: readonly { message: string; path: readonly PropertyKey[] }[]): string {
  return issues
    .map(({ message, path }) => (path.length === 0 ? message : `${message} at ${dotted(path)}`))
    .join('\n')
}

function dotted(path: readonly PropertyKey[]): string {
  const steps = path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`))
  return steps.join('').replace(/^\./, '')
}
