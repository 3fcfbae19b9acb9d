import type { ErrorObject } from 'ajv/dist/2020.js'
import { escapePointer, isObject } from './walk.ts'

/** One mistake in a request. */
export interface FieldError {
  /** JSON pointer into the request, such as `/body/operands`. */
  readonly path: string
  readonly message: string
  /** What would have been right, where that can be said shortly. */
  readonly expected?: string
}

/** An Ajv error in a request's body; needs Ajv's `verbose` to say what was expected. */
export function fieldError(error: ErrorObject): FieldError {
  const expected = expectation(error)
  return {
    path: cut(`/body${error.instancePath}${named(error)}`, 300),
    message: cut(error.message ?? 'is wrong', 300),
    ...(expected !== undefined && { expected: cut(expected, 300) }),
  }
}

/** The member that is missing or too much: the error itself points at what holds it. */
function named({ params }: ErrorObject): string {
  const name = params.missingProperty ?? params.additionalProperty ?? params.unevaluatedProperty
  return typeof name === 'string' ? `/${escapePointer(name)}` : ''
}

function expectation({ keyword, params, parentSchema }: ErrorObject): string | undefined {
  if (keyword === 'required') return describe(member(parentSchema, params.missingProperty))
  if (keyword === 'additionalProperties' && isObject(parentSchema?.properties)) {
    return `one of ${Object.keys(parentSchema.properties).join(', ') || 'no fields'}`
  }
  if (keyword === 'pattern') return `text matching ${params.pattern}`
  if (keyword === 'type' || keyword === 'enum' || keyword === 'const') return describe(parentSchema)
  return undefined
}

function member(schema: unknown, name: unknown): unknown {
  if (!isObject(schema) || !isObject(schema.properties) || typeof name !== 'string') return
  return Object.hasOwn(schema.properties, name) ? schema.properties[name] : undefined
}

/** A schema in a few words: `one of "add", "subtract"`, `array of string`, `integer`. */
function describe(schema: unknown): string | undefined {
  if (!isObject(schema)) return undefined
  if (Array.isArray(schema.enum)) {
    return `one of ${schema.enum
      .slice(0, 20)
      .map((value) => JSON.stringify(value))
      .join(', ')}`
  }
  if (schema.const !== undefined) return JSON.stringify(schema.const)
  const type = [schema.type].flat().filter((name) => typeof name === 'string')
  if (type.length === 0) return undefined
  const items = schema.type === 'array' ? describe(schema.items) : undefined
  return `${type.join(' or ')}${items === undefined ? '' : ` of ${items}`}`
}

function cut(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length - 1)}…` : text
}
