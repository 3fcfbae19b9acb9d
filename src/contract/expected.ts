import type { ErrorObject } from 'ajv/dist/2020.js'
import { isObject } from '../protocol/object.ts'
import { closest } from '../tool/closest.ts'
import { escapePointer } from './walk.ts'

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
    message: cut(messageOf(error), 300),
    ...(expected !== undefined && { expected: cut(expected, 300) }),
  }
}

/** The member that is missing or too much: the error itself points at what holds it. */
function named({ params }: ErrorObject): string {
  const name = params.missingProperty ?? params.additionalProperty ?? params.unevaluatedProperty
  return typeof name === 'string' ? `/${escapePointer(name)}` : ''
}

/** In Ajv's words, but where it would show an expression, or could name what was meant. */
function messageOf({ keyword, params, parentSchema, message }: ErrorObject): string {
  if (keyword === 'pattern' && inWords(parentSchema) !== undefined) return 'has the wrong form'
  if (keyword !== 'additionalProperties') return message ?? 'is wrong'
  const meant = closest(String(params.additionalProperty).slice(0, 64), fields(parentSchema))
  return meant === undefined ? 'is not known' : `is not known, did you mean "${meant}"?`
}

function expectation({ keyword, params, parentSchema }: ErrorObject): string | undefined {
  switch (keyword) {
    case 'required':
      return describe(member(parentSchema, params.missingProperty))
    case 'additionalProperties': {
      const names = fields(parentSchema)
      return names.length === 0 ? 'nothing' : `one of ${names.join(', ')}`
    }
    case 'pattern':
      return inWords(parentSchema) ?? `text matching ${params.pattern}`
    case 'type':
    case 'enum':
    case 'const':
      return describe(parentSchema)
    case 'multipleOf':
      return `a multiple of ${params.multipleOf}`
    default:
      return range(keyword, parentSchema)
  }
}

/** What its author says of a text, or the name of its format; never an expression. */
function inWords(schema: unknown): string | undefined {
  if (!isObject(schema)) return undefined
  const words = [schema.description, schema.title, schema.format]
  return words.find((each): each is string => typeof each === 'string' && each !== '')
}

/** Names that are compared with a wrong one, or told: as many as a person reads. */
function fields(schema: unknown): string[] {
  if (!isObject(schema) || !isObject(schema.properties)) return []
  return Object.keys(schema.properties)
    .filter((name) => name.length <= 64)
    .slice(0, 50)
}

/** Keywords that bound the same thing, as they are read together. */
const RANGES: readonly Range[] = [
  { least: 'minimum', over: 'exclusiveMinimum', most: 'maximum', under: 'exclusiveMaximum' },
  { least: 'minLength', most: 'maxLength', of: 'characters' },
  { least: 'minItems', most: 'maxItems', of: 'items' },
  { least: 'minProperties', most: 'maxProperties', of: 'fields' },
]

interface Range {
  readonly least: string
  readonly over?: string
  readonly most: string
  readonly under?: string
  readonly of?: string
}

/** `at least 1, at most 64 characters`, with every bound there is and not only the one broken. */
function range(keyword: string, schema: unknown): string | undefined {
  const bounds = RANGES.find((each) => Object.values(each).includes(keyword))
  if (bounds === undefined || !isObject(schema)) return undefined
  const { least, over, most, under, of } = bounds
  const said = [
    ['at least', schema[least]],
    ['over', over && schema[over]],
    ['at most', schema[most]],
    ['under', under && schema[under]],
  ].flatMap(([words, bound]) => (typeof bound === 'number' ? `${words} ${bound}` : []))
  return `${said.join(', ')}${of === undefined ? '' : ` ${of}`}`
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
