import { isObject } from '../protocol/object.ts'

/** A schema object: keyword to value. */
export type SchemaObject = { readonly [keyword: string]: unknown }

/** How a keyword holds schemas. Every other keyword is data, and stays as it is. */
const ONE = new Set(
  `additionalProperties contains contentSchema else if items not propertyNames then
  unevaluatedItems unevaluatedProperties`.split(/\s+/),
)
const LIST = new Set(['allOf', 'anyOf', 'oneOf', 'prefixItems'])
const MAP = new Set(['$defs', 'dependentSchemas', 'patternProperties', 'properties'])

/**
 * Rebuilds a schema from the outside in: `visit` is given each schema object and its JSON pointer
 * (`/properties/a`), and what it returns is walked next. Data such as `default` or `enum` is never
 * taken for a schema, and a property called `$ref` is only a property.
 */
export function rebuild(
  schema: SchemaObject,
  visit: (schema: SchemaObject, pointer: string) => SchemaObject,
  pointer = '',
): SchemaObject {
  const inside = (value: unknown, at: string): unknown =>
    isObject(value) ? rebuild(value, visit, at) : value
  return mapValues(visit(schema, pointer), (value, keyword) => {
    const at = `${pointer}/${escapePointer(keyword)}`
    if (ONE.has(keyword)) return inside(value, at)
    if (LIST.has(keyword) && Array.isArray(value)) {
      return value.map((item, index) => inside(item, `${at}/${index}`))
    }
    if (MAP.has(keyword) && isObject(value)) {
      return mapValues(value, (member, name) => inside(member, `${at}/${escapePointer(name)}`))
    }
    return value
  })
}

/** The same keys with other values; `__proto__` stays an ordinary key. */
export function mapValues(
  object: SchemaObject,
  map: (value: unknown, key: string) => unknown,
): SchemaObject {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, map(value, key)]))
}

/** One name as it stands in a JSON pointer (RFC 6901). */
export function escapePointer(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1')
}
