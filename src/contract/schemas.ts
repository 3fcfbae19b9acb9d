import { extendZodWithOpenApi } from '@asteasolutions/zod-to-openapi'
import { z } from 'zod'

extendZodWithOpenApi(z)

/** A name of a tool: its file's name without the ending. */
export const toolName = z
  .string()
  .regex(/^(?!.*__)[A-Za-z0-9_-]{1,64}$/)
  .openapi({ description: 'The tool: the name of its file.', example: 'calculator' })

/** A name of a function, as the tool lists it. */
export const functionName = z
  .string()
  .min(1)
  .max(256)
  .openapi({ description: 'The function, as the tool lists it.', example: 'calculate' })

/** What a function asks of whoever calls it. */
const inputRequests = z
  .record(
    z.string(),
    z.looseObject({
      method: z
        .string()
        .describe(
          'As in MCP: `elicitation/create` asks a person, `sampling/createMessage` a model.',
        ),
      params: z.unknown().optional(),
    }),
  )
  .openapi('InputRequests')

/** RFC 9457, with what this gateway adds. */
export const problem = z
  .looseObject({
    type: z.string().describe('A name of the problem: `urn:toolgate:error:` and its code.'),
    title: z.string(),
    status: z.int().describe('The HTTP status.'),
    detail: z.string().describe('What happened this time.'),
    instance: z.string().optional().describe('The path of the request.'),
    code: z.string().describe('The code of the error, such as `invalid_params`.'),
    requestId: z.string().optional().describe('`X-Request-Id` of the answer.'),
    errors: z
      .array(
        z.object({
          path: z.string().describe('JSON pointer into the request, such as `/body/operands`.'),
          message: z.string(),
          expected: z.string().optional(),
        }),
      )
      .optional()
      .describe('Each mistake in the request.'),
    rpc: z
      .object({ code: z.int(), message: z.string(), data: z.unknown().optional() })
      .optional()
      .describe("The tool's own JSON-RPC error, as it came."),
    inputRequests: inputRequests
      .optional()
      .describe('With `input_required`: what is asked, each under a key.'),
    continuation: z
      .string()
      .optional()
      .describe('With `input_required`: what `POST /v1/continuations` goes on with.'),
  })
  .openapi('Problem')

/** What a function without an output schema answers: MCP content blocks. */
export const contentResult = z
  .looseObject({
    content: z.array(z.looseObject({ type: z.string().describe('`text`, `image`, …') })),
    structuredContent: z.unknown().optional(),
  })
  .openapi('ContentResult')

const functionEntry = z
  .object({
    name: z.string(),
    title: z.string().optional(),
    description: z.string().optional(),
    inputSchema: z.record(z.string(), z.unknown()),
    outputSchema: z.record(z.string(), z.unknown()).optional(),
    annotations: z.record(z.string(), z.unknown()).optional(),
    url: z.string().describe('Where it is called over REST.'),
  })
  .openapi('Function')

/** What is wrong with a tool. */
const toolMistake = z
  .object({
    message: z.string(),
    file: z.string().optional(),
    line: z.int().optional(),
    column: z.int().optional(),
    path: z.string().optional().describe('Where in the declaration, such as `policy.network`.'),
    expected: z.string().optional(),
  })
  .openapi('ToolMistake', {
    description: "A mistake in a tool's file, or why the tool could not be learned.",
  })

const toolBase = z
  .object({
    name: toolName,
    title: z.string().optional(),
    description: z.string().optional(),
    tags: z.array(z.string()),
    runtime: z.string().optional().describe('`command`, `npm`, `container` or `inline`.'),
    mode: z.enum(['launcher', 'daemon']).optional(),
    state: z
      .enum(['loading', 'learning', 'ready', 'failed', 'broken'])
      .describe('`broken`: the file has a mistake; its last good version, if any, is served.'),
    sandbox: z
      .enum(['bubblewrap', 'container', 'permission', 'none', 'missing'])
      .describe(
        'How what the tool may touch is enforced. `permission`: by Node, no network limits; ' +
          '`none`: not at all; `missing`: it cannot be here, so the tool does not start.',
      ),
    instances: z.int().describe('Running processes.'),
    sessions: z.int().describe('Open sessions.'),
    version: z.string().optional().describe('Content hash of what is served.'),
    lastError: toolMistake.optional(),
    mcp: z.object({
      streamable: z.string().describe('MCP over Streamable HTTP.'),
      sse: z.string().describe('MCP over HTTP+SSE (2024-11-05).'),
    }),
    url: z.string(),
  })
  .openapi('Tool')

const runningInstance = z
  .object({
    id: z.string().describe('Its name in logs and traces, such as `files.12`.'),
    since: z.iso.datetime(),
    usage: z
      .object({
        cpu: z.int().describe('Milliseconds of CPU time, user and system.'),
        memory: z.int().nullable().describe('Bytes: the sum of the resident peaks.'),
        read: z.int().nullable().describe('Bytes read: files, pipes and sockets alike.'),
        written: z.int().nullable().describe('Bytes written.'),
      })
      .nullable()
      .describe('Since its start, with what it started, at most 10 s old. Null: not known.'),
    spare: z.literal(true).optional().describe('It waits for the next session.'),
  })
  .openapi('RunningInstance')

const cellLine = z
  .object({
    what: z.string().describe('Such as `network`, `memory`, `/srv/data`.'),
    rule: z.string().describe('Such as `none`, `at most 256 MB`, `read-only`.'),
    by: z.string().nullable().describe('What enforces it; null: nothing does.'),
  })
  .openapi('CellLine')

/** One line of the catalogue. */
export const toolSummary = toolBase
  .extend({ functions: z.array(z.string()).describe('Names, as far as they are known.') })
  .openapi('ToolSummary')

export const toolList = z.object({ tools: z.array(toolSummary) }).openapi('ToolList')

export const toolDetail = toolBase
  .extend({
    functions: z.array(functionEntry).describe('As far as they are known.'),
    cell: z.array(cellLine).describe('What it is given and denied, and what enforces that.'),
    running: z.array(runningInstance).describe('Its processes, and what each has used.'),
    timeout: z.int().optional().describe('Bound of one call, in milliseconds.'),
    era: z
      .enum(['legacy', 'modern', 'dual'])
      .nullable()
      .describe('Which MCP era it speaks; `dual`: both. Null while that is not known.'),
    errors: z
      .array(toolMistake)
      .optional()
      .describe('Every mistake in its file, `lastError` first; absent without any.'),
  })
  .openapi('ToolDetail')

export const invocation = z
  .object({
    tool_name: z
      .string()
      .min(1)
      .max(512)
      .describe("`tool__function`, or a function's name that only one tool has."),
    arguments: z.record(z.string(), z.unknown()).optional().describe("The function's input."),
  })
  .openapi('Invocation')

export const continuation = z
  .object({
    continuation: z.string().min(1).describe('Of the problem `input_required`, unchanged.'),
    inputResponses: z
      .record(z.string(), z.record(z.string(), z.unknown()))
      .describe('An MCP result for each key of `inputRequests`; what is missing is asked again.')
      .openapi({ example: { name: { action: 'accept', content: { name: 'Ada' } } } }),
  })
  .openapi('Continuation')

export const alive = z.object({ status: z.literal('alive') }).openapi('Alive')

export const readiness = z.object({ status: z.literal('ready') }).openapi('Readiness')

export const health = z
  .looseObject({
    status: z.enum(['ready', 'unavailable']),
    reasons: z.array(z.string()).describe('Why it is not ready; empty when it is.'),
    version: z.string(),
    uptime: z.number().describe('Seconds.'),
    tools: z.record(z.string(), z.int()).describe('How many tools are in each state.'),
    sessions: z.int(),
    instances: z.int(),
    components: z.record(
      z.string(),
      z.looseObject({ status: z.enum(['up', 'down']), detail: z.string().optional() }),
    ),
  })
  .openapi('Health')
