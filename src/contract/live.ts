import { isObject } from '../protocol/object.ts'
import type { FunctionDeclaration, JsonSchema } from '../tool/declaration.ts'
import { type Checked, check } from './check.ts'
import { tellDefaults } from './defaults.ts'
import { Components, join } from './join.ts'
import {
  CALL_ERRORS,
  callAnswer,
  type OpenApiDocument,
  problems,
  staticDocument,
} from './operations.ts'
import type { SchemaObject } from './walk.ts'

/** A tool with the functions it is known to have. */
export interface ToolFunctions {
  readonly name: string
  readonly title?: string
  readonly description: string
  readonly functions: readonly FunctionDeclaration[]
}

/** Most functions of one tool that get an operation of their own; the generic one calls the rest. */
const MOST_FUNCTIONS = 1_000

/**
 * The static operations and one typed operation for each function, such as
 * `/v1/tools/calculator/calculate` with the id `calculator__calculate`. A function whose schema is
 * bad joins with an open one and a note, `x-toolgate-schema-error`.
 */
export function liveDocument(tools: readonly ToolFunctions[]): OpenApiDocument {
  const base = staticDocument()
  const components = new Components(base.components.schemas as Record<string, SchemaObject>)
  const ids = new Set(Object.values(base.paths).flatMap(operationIds))
  const paths: Record<string, Record<string, SchemaObject>> = {}
  for (const tool of tools) {
    for (const declared of tool.functions.slice(0, MOST_FUNCTIONS)) {
      const path = `/v1/tools/${tool.name}/${encodeURIComponent(declared.name)}`
      if (Object.hasOwn(paths, path)) continue
      paths[path] = { post: operation(tool, declared, components, ids) }
    }
  }
  return {
    ...base,
    tags: [...(base.tags as unknown[]), ...tools.map(tag)],
    paths: { ...base.paths, ...paths },
    components: { ...base.components, schemas: components.toJSON() },
  }
}

function operation(
  tool: ToolFunctions,
  declared: FunctionDeclaration,
  components: Components,
  ids: Set<string>,
): SchemaObject {
  const id = unique(`${tool.name}__${declared.name}`.replace(/[^A-Za-z0-9_-]/g, '_'), ids)
  const input = joined(declared.inputSchema, `${id}__Input`, components)
  const output =
    declared.outputSchema === undefined
      ? { schema: { $ref: '#/components/schemas/ContentResult' } }
      : joined(declared.outputSchema, `${id}__Output`, components)
  const note = input.note ?? output.note
  return {
    operationId: id,
    tags: [tool.name],
    summary: declared.title ?? declared.name,
    ...(declared.description !== undefined && { description: declared.description }),
    requestBody: {
      required: needsBody(declared.inputSchema),
      content: { 'application/json': { schema: input.schema } },
    },
    responses: { 200: callAnswer(output.schema), ...problems(CALL_ERRORS) },
    ...(note !== undefined && { 'x-toolgate-schema-error': note }),
  }
}

function joined(
  given: JsonSchema,
  wish: string,
  components: Components,
): { schema: SchemaObject; note?: string } {
  const checked: Checked = check(given)
  if (checked.ok) return { schema: join(tellDefaults(checked.schema), wish, components) }
  return { schema: { type: 'object', additionalProperties: true }, note: checked.reason }
}

function needsBody(schema: JsonSchema): boolean {
  return Array.isArray(schema.required) && schema.required.length > 0
}

function tag(tool: ToolFunctions): SchemaObject {
  const name = tool.title === undefined ? {} : { 'x-displayName': tool.title }
  return { name: tool.name, description: tool.description, ...name }
}

function operationIds(item: Readonly<Record<string, SchemaObject>>): string[] {
  return Object.values(item).flatMap((operation) =>
    isObject(operation) && typeof operation.operationId === 'string' ? [operation.operationId] : [],
  )
}

function unique(wish: string, taken: Set<string>): string {
  let id = wish
  for (let count = 2; taken.has(id); count += 1) id = `${wish}_${count}`
  taken.add(id)
  return id
}
