import type { Declaration, FunctionDeclaration, JsonSchema } from '../tool/declaration.ts'

/** What else may say which members an object has. */
const OPEN_WORDS = `$ref additionalProperties allOf anyOf dependentSchemas if not oneOf
  patternProperties propertyNames unevaluatedProperties`.split(/\s+/)

const known = new WeakMap<JsonSchema, JsonSchema>()

/**
 * What a function takes over REST. A plain `z.object` of an inline tool leaves out what it does not
 * know, so a misspelt argument would be ignored in silence; here it is a mistake. A
 * `z.looseObject`, and any other schema, stays as it is.
 */
export function inputOf(
  { runtime }: Pick<Declaration, 'runtime'>,
  { inputSchema }: FunctionDeclaration,
): JsonSchema {
  return runtime.kind === 'inline' && isPlain(inputSchema) ? closed(inputSchema) : inputSchema
}

/** A function with that input, as it joins the document. */
export function withInput(
  tool: Pick<Declaration, 'runtime'>,
  declared: FunctionDeclaration,
): FunctionDeclaration {
  return { ...declared, inputSchema: inputOf(tool, declared) }
}

function isPlain(schema: JsonSchema): boolean {
  return schema.type === 'object' && !OPEN_WORDS.some((word) => Object.hasOwn(schema, word))
}

/** The same object for the same schema, because a schema is compiled once. */
function closed(schema: JsonSchema): JsonSchema {
  const before = known.get(schema)
  if (before !== undefined) return before
  const made = { ...schema, additionalProperties: false }
  known.set(schema, made)
  return made
}
