import { isRawNumber } from './exact-json.ts'
import type { JsonObject } from './message.ts'
import { isObject } from './object.ts'

/**
 * The schema of what a legacy client is given for a function with this output schema: an object as
 * it is, and anything else as `{ result }`. Throws a RangeError for what is nested too deeply.
 */
export function legacyOutputSchema(schema: JsonObject): JsonObject {
  if (schema.type === 'object') return schema
  const { $schema, ...own } = schema
  const dialect = $schema === undefined ? {} : { $schema }
  if (!mayBeObject(schema)) {
    const result = moved(own, '#/properties/result')
    return { ...dialect, type: 'object', properties: { result }, required: ['result'] }
  }
  const wrapped = { properties: { result: { $ref: VALUE } }, required: ['result'] }
  return {
    ...dialect,
    type: 'object',
    anyOf: [{ $ref: VALUE }, wrapped],
    $defs: { value: moved(own, VALUE) },
  }
}

const VALUE = '#/$defs/value'

/** Some of its values are objects, as far as its root says. */
function mayBeObject({ type }: JsonObject): boolean {
  return type === undefined || (Array.isArray(type) && type.includes('object'))
}

/** The schema as it reads at another place of a document: what it says of its root is said of that. */
function moved(schema: unknown, root: string, names = false): unknown {
  if (Array.isArray(schema)) return schema.map((item) => moved(item, root))
  if (!isObject(schema) || isRawNumber(schema)) return schema
  // A schema with an id of its own is a document of its own.
  if (!names && typeof schema.$id === 'string' && !schema.$id.startsWith('#')) return schema
  const entries = Object.entries(schema).map(([key, value]) => {
    if (names) return [key, moved(value, root)]
    if (DATA.has(key)) return [key, value]
    if (REFERENCES.has(key) && typeof value === 'string') return [key, movedReference(value, root)]
    return [key, moved(value, root, MAPS.has(key))]
  })
  return Object.fromEntries(entries)
}

function movedReference(reference: string, root: string): string {
  return reference === '#' || reference.startsWith('#/') ? root + reference.slice(1) : reference
}

/** Keywords whose value is data: nothing in it is a schema. */
const DATA = new Set(['const', 'default', 'enum', 'examples'])
/** Keywords that hold schemas by names of the author's. */
const MAPS = new Set([
  '$defs',
  'definitions',
  'dependencies',
  'dependentSchemas',
  'patternProperties',
  'properties',
])
const REFERENCES = new Set(['$ref', '$dynamicRef'])
