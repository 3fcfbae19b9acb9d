import { isObject } from '../protocol/object.ts'
import { rebuild, type SchemaObject } from './walk.ts'

/** What one schema may weigh; a stranger wrote it. */
export const SCHEMA_LIMITS = { characters: 131_072, depth: 64, nodes: 8_000 } as const

/** Keywords that change what a reference means: they cannot be merged into one document. */
const REFUSED = ['$anchor', '$dynamicAnchor', '$dynamicRef', '$recursiveAnchor', '$recursiveRef']

/** A schema that cannot be used; the message says why, to whoever wrote the tool. */
export class SchemaRefused extends Error {
  override readonly name = 'SchemaRefused'
}

/**
 * A tool's schema as JSON Schema 2020-12: bounded, plain JSON, with local references only. What
 * older drafts wrote otherwise (`definitions`, tuples, `dependencies`) is rewritten. Throws
 * `SchemaRefused`.
 */
export function normalise(schema: SchemaObject): SchemaObject {
  const copy = bounded(schema)
  const id = typeof copy.$id === 'string' ? copy.$id : undefined
  return rebuild(copy, (part, pointer) => {
    const refused = REFUSED.find((keyword) => Object.hasOwn(part, keyword))
    if (refused !== undefined) throw new SchemaRefused(`"${refused}" is not supported.`)
    if (pointer !== '' && Object.hasOwn(part, '$id')) {
      throw new SchemaRefused('"$id" is only supported at the top of a schema.')
    }
    return modern(part, id)
  })
}

function bounded(schema: SchemaObject): SchemaObject {
  measure(schema, 0, { nodes: 0 })
  const text = JSON.stringify(schema)
  if (text.length > SCHEMA_LIMITS.characters) {
    throw new SchemaRefused(`The schema has over ${SCHEMA_LIMITS.characters} characters.`)
  }
  return JSON.parse(text) as SchemaObject
}

function measure(value: unknown, depth: number, seen: { nodes: number }): void {
  if (typeof value !== 'object' || value === null) return
  if (depth > SCHEMA_LIMITS.depth) {
    throw new SchemaRefused(`The schema is nested deeper than ${SCHEMA_LIMITS.depth} levels.`)
  }
  seen.nodes += 1
  if (seen.nodes > SCHEMA_LIMITS.nodes) {
    throw new SchemaRefused(`The schema has over ${SCHEMA_LIMITS.nodes} objects and lists.`)
  }
  for (const member of Object.values(value)) measure(member, depth + 1, seen)
}

/** One schema object in the words of 2020-12; the schemas inside it come after it. */
function modern(part: SchemaObject, id: string | undefined): SchemaObject {
  const { $schema, $id, $ref, definitions, items, additionalItems, dependencies, ...rest } = part
  const out: Record<string, unknown> = rest
  if (typeof $ref === 'string') out.$ref = local($ref, id)
  if (isObject(definitions)) {
    out.$defs = isObject(rest.$defs) ? { ...definitions, ...rest.$defs } : definitions
  }
  if (Array.isArray(items)) {
    out.prefixItems = items
    if (additionalItems !== undefined) out.items = additionalItems
  } else if (items !== undefined) out.items = items
  if (isObject(dependencies)) splitDependencies(out, dependencies)
  bound(out, 'minimum', 'exclusiveMinimum')
  bound(out, 'maximum', 'exclusiveMaximum')
  return out
}

/** A reference into this very schema, `#` or `#/…`; anything else would leave the document. */
function local(ref: string, id: string | undefined): string {
  const own = id !== undefined && ref.startsWith(id) ? ref.slice(id.length) || '#' : ref
  if (own !== '#' && !own.startsWith('#/')) {
    throw new SchemaRefused('A "$ref" must point into the same schema, such as "#/$defs/Item".')
  }
  return own.replace(
    /(^#|\/(?!properties|patternProperties|dependentSchemas|\$defs|definitions)[^/]+)\/definitions(?=\/)/g,
    '$1/$defs',
  )
}

function splitDependencies(out: Record<string, unknown>, dependencies: SchemaObject): void {
  const required = Object.entries(dependencies).filter(([, value]) => Array.isArray(value))
  const schemas = Object.entries(dependencies).filter(([, value]) => !Array.isArray(value))
  if (required.length > 0) out.dependentRequired ??= Object.fromEntries(required)
  if (schemas.length > 0) out.dependentSchemas ??= Object.fromEntries(schemas)
}

/** Draft 4 wrote an exclusive bound as `true` beside the bound. */
function bound(out: Record<string, unknown>, plain: string, exclusive: string): void {
  if (typeof out[exclusive] !== 'boolean') return
  if (out[exclusive] === true && out[plain] !== undefined) {
    out[exclusive] = out[plain]
    delete out[plain]
  } else delete out[exclusive]
}
