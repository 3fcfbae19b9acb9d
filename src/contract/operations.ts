import {
  OpenAPIRegistry,
  OpenApiGeneratorV31,
  type RouteConfig,
} from '@asteasolutions/zod-to-openapi'
import { z } from 'zod'
import { ERRORS } from '../errors.ts'
import {
  alive,
  contentResult,
  continuation,
  functionName,
  health,
  invocation,
  problem,
  readiness,
  toolDetail,
  toolList,
  toolName,
} from './schemas.ts'
import type { SchemaObject } from './walk.ts'

/** An OpenAPI 3.1.0 document, as plain JSON. */
export interface OpenApiDocument {
  readonly openapi: string
  readonly info: SchemaObject
  readonly paths: Readonly<Record<string, Readonly<Record<string, SchemaObject>>>>
  readonly components: SchemaObject
  readonly [key: string]: unknown
}

/** Statuses that one call of a function can end with, besides 200. */
export const CALL_ERRORS = [
  400, 401, 403, 404, 409, 413, 415, 422, 429, 500, 502, 503, 504,
] as const

let document: OpenApiDocument | undefined

/** The operations that are there whatever the tools are. Made once; not to be changed. */
export function staticDocument(): OpenApiDocument {
  document ??= generate()
  return document
}

function generate(): OpenApiDocument {
  const registry = new OpenAPIRegistry()
  registry.register('Problem', problem)
  registry.register('ContentResult', contentResult)
  registry.registerComponent('securitySchemes', 'bearer', { type: 'http', scheme: 'bearer' })
  const key = { type: 'apiKey', in: 'header', name: 'X-API-Key' } as const
  registry.registerComponent('securitySchemes', 'key', key)
  for (const route of ROUTES) registry.registerPath(route)
  const made = new OpenApiGeneratorV31(registry.definitions).generateDocument({
    openapi: '3.1.0',
    info: {
      title: 'Toolgate',
      version: '1',
      description: 'Every tool behind this gateway, as typed operations.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    security: [{ bearer: [] }, { key: [] }, {}],
    tags: [
      { name: 'catalogue', description: 'Which tools there are.' },
      { name: 'call', description: 'Calling a function.' },
      { name: 'health', description: 'How the gateway is.' },
      { name: 'contract', description: 'This document.' },
    ],
  })
  const { webhooks: _none, ...rest } = JSON.parse(JSON.stringify(made))
  return { ...rest, components: { ...rest.components, responses: problemResponses() } }
}

const PROGRESS =
  'Events `progress` and `log`, then exactly one `result` (the body of a 200) or `error` (a Problem).'

/** The answers of a failed request, by reference. */
export function problems(statuses: readonly number[]): Record<string, { $ref: string }> {
  return Object.fromEntries(
    statuses.map((status) => [status, { $ref: `#/components/responses/Problem${status}` }]),
  )
}

/** What these references lead to: problem+json, once for each status there is. */
function problemResponses(): SchemaObject {
  const statuses = new Set(Object.values(ERRORS).map((row) => row.status))
  return Object.fromEntries([...statuses].map((status) => [`Problem${status}`, failure(status)]))
}

function failure(status: number) {
  const rows = Object.entries(ERRORS).filter(([, row]) => row.status === status)
  const schema = { $ref: '#/components/schemas/Problem' }
  return {
    description: rows.map(([code, row]) => `${row.title} (\`${code}\`).`).join(' '),
    content: { 'application/problem+json': { schema } },
    ...((status === 429 || status === 503) && {
      headers: { 'Retry-After': { description: 'Seconds.', schema: { type: 'integer' as const } } },
    }),
  }
}

/**
 * The two forms of a call's answer: whole, or as a stream that ends with it. Both have the schema
 * of the body, because clients are generated with the union of all forms.
 */
export function callAnswer<Schema>(schema: Schema) {
  return {
    description: 'What the function answered.',
    content: {
      'application/json': { schema },
      'text/event-stream': { schema, 'x-toolgate-events': PROGRESS },
    },
  }
}

function ok(description: string, schema: z.ZodType) {
  return { description, content: { 'application/json': { schema } } }
}

const anyObject = z.record(z.string(), z.unknown())

const ROUTES: readonly RouteConfig[] = [
  {
    method: 'get',
    path: '/v1/tools',
    operationId: 'listTools',
    summary: 'Every tool the caller may see',
    tags: ['catalogue'],
    responses: { 200: ok('The catalogue.', toolList), ...problems([401, 500]) },
  },
  {
    method: 'get',
    path: '/v1/tools/{tool}',
    operationId: 'showTool',
    summary: 'One tool, with the schemas of its functions',
    tags: ['catalogue'],
    request: { params: z.object({ tool: toolName }) },
    responses: { 200: ok('The tool.', toolDetail), ...problems([400, 401, 403, 404, 500]) },
  },
  {
    method: 'post',
    path: '/v1/tools/{tool}/{function}',
    operationId: 'callFunction',
    summary: 'Call any function',
    description: 'A function that is known has an operation of its own, with its types.',
    tags: ['call'],
    request: {
      params: z.object({ tool: toolName, function: functionName }),
      body: { required: false, content: { 'application/json': { schema: anyObject } } },
    },
    responses: { 200: callAnswer(anyObject), ...problems(CALL_ERRORS) },
  },
  {
    method: 'post',
    path: '/v1/continuations',
    operationId: 'continueCall',
    summary: 'Go on with a call that asked for input',
    description:
      'A call that ends with the problem `input_required` (409) waits for what it asked. This ' +
      'answers as that call would have: with its result, a problem, or 409 again. Each ' +
      '`continuation` is good for its caller, once, until `timeouts.ask` is over.',
    tags: ['call'],
    request: {
      body: { required: true, content: { 'application/json': { schema: continuation } } },
    },
    responses: { 200: callAnswer(anyObject), ...problems(CALL_ERRORS) },
  },
  {
    method: 'post',
    path: '/mcp/invoke',
    operationId: 'invoke',
    summary: 'Call a function by its name alone',
    tags: ['call'],
    request: {
      body: { required: true, content: { 'application/json': { schema: invocation } } },
    },
    responses: { 200: callAnswer(anyObject), ...problems(CALL_ERRORS) },
  },
  {
    method: 'get',
    path: '/healthz',
    operationId: 'alive',
    summary: 'Whether the process is alive',
    tags: ['health'],
    security: [{}],
    responses: { 200: ok('It is.', alive) },
  },
  {
    method: 'get',
    path: '/ready',
    operationId: 'ready',
    summary: 'Whether the gateway can serve',
    tags: ['health'],
    security: [{}],
    responses: { 200: ok('It can.', readiness), ...problems([503]) },
  },
  {
    method: 'get',
    path: '/health',
    operationId: 'health',
    summary: 'Detail, component by component',
    tags: ['health'],
    responses: { 200: ok('Ready.', health), 503: ok('Not ready.', health), ...problems([401]) },
  },
  ...(['json', 'yaml'] as const).map(
    (form): RouteConfig => ({
      method: 'get',
      path: `/openapi.${form}`,
      operationId: `openapi_${form}`,
      summary: `This document, live, as ${form.toUpperCase()}`,
      tags: ['contract'],
      responses: {
        200: {
          description: 'OpenAPI 3.1.0, with the functions of every tool the caller may see.',
          content: { [`application/${form}`]: { schema: { type: 'object' } } },
        },
        ...problems([401, 500]),
      },
    }),
  ),
]
