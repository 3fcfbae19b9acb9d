import { legacyOutputSchema } from '../protocol/legacy-schema.ts'
import type { Era } from '../protocol/message.ts'
import type { Declaration, FunctionDeclaration, JsonSchema } from '../tool/declaration.ts'

/** A function as REST has it: what it takes and what it answers, as that joins the document. */
export function overRest(
  tool: Pick<Declaration, 'runtime'>,
  declared: FunctionDeclaration,
  era: Era,
): FunctionDeclaration {
  return { ...withOutput(declared, era), inputSchema: inputOf(tool, declared) }
}

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

/**
 * A function with what it answers over REST. A modern one may answer with any value; here what is
 * no object is `{ result }`, as legacy clients of MCP are given it.
 */
export function withOutput(declared: FunctionDeclaration, era: Era): FunctionDeclaration {
  const { outputSchema } = declared
  if (era === 'legacy' || outputSchema === undefined) return declared
  return { ...declared, outputSchema: once(outputs, outputSchema, wrapped) }
}

/** What else may say which members an object has. */
const OPEN_WORDS = `$ref additionalProperties allOf anyOf dependentSchemas if not oneOf
  patternProperties propertyNames unevaluatedProperties`.split(/\s+/)

function isPlain(schema: JsonSchema): boolean {
  return schema.type === 'object' && !OPEN_WORDS.some((word) => Object.hasOwn(schema, word))
}

function closed(schema: JsonSchema): JsonSchema {
  return once(inputs, schema, () => ({ ...schema, additionalProperties: false }))
}

function wrapped(schema: JsonSchema): JsonSchema {
  try {
    return legacyOutputSchema(schema)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    // It is nested too deeply to be moved to another place.
    return { type: 'object' }
  }
}

const inputs = new WeakMap<JsonSchema, JsonSchema>()
const outputs = new WeakMap<JsonSchema, JsonSchema>()

/** The same object for the same schema, because a schema is compiled once. */
function once(
  known: WeakMap<JsonSchema, JsonSchema>,
  schema: JsonSchema,
  make: (schema: JsonSchema) => JsonSchema,
): JsonSchema {
  const before = known.get(schema)
  if (before !== undefined) return before
  const made = make(schema)
  known.set(schema, made)
  return made
}
