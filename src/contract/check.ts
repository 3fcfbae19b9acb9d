import { Ajv2020, type AnySchema, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js'
import { isObject } from '../protocol/object.ts'
import type { JsonSchema } from '../tool/declaration.ts'
import { type FieldError, fieldError } from './expected.ts'
import { limited, TookTooLong } from './limited.ts'
import { normalise, SchemaRefused } from './normal.ts'
import { isLinear, pattern } from './pattern.ts'
import { rebuild, type SchemaObject } from './walk.ts'

/** A function's schema as it joins the document, or why it cannot. */
export type Checked =
  | {
      readonly ok: true
      /** JSON Schema 2020-12 with local references only. */
      readonly schema: SchemaObject
      /** The mistakes in a body, none when it is right; at most 20. */
      validate(body: unknown): readonly FieldError[]
    }
  | { readonly ok: false; readonly reason: string }

/** Longest that a schema may take to compile, and a body to be checked, in milliseconds. */
const PATIENCE = { compile: 1_000, validate: 100 } as const

/** A body up to this many characters is searched for all its mistakes, not only the first. */
const SMALL = 16_384

const MOST_ERRORS = 20

const known = new WeakMap<JsonSchema, Checked>()
let dialect: Ajv2020 | undefined

/**
 * Compiles one schema in an Ajv of its own, so that a bad one harms no other; once for each schema
 * object. Formats are notes, not rules, as 2020-12 has it: the tool itself is the judge of them.
 */
export function check(schema: JsonSchema): Checked {
  const before = known.get(schema)
  if (before !== undefined) return before
  const checked = compile(schema)
  known.set(schema, checked)
  return checked
}

function compile(given: JsonSchema): Checked {
  try {
    const schema = normalise(given)
    dialect ??= new Ajv2020({ strict: false, logger: false })
    if (dialect.validateSchema(schema as AnySchema) !== true) {
      return { ok: false, reason: `It is no JSON Schema: ${dialect.errorsText().slice(0, 300)}.` }
    }
    const costly = isCostly(schema)
    const first = limited(() => isolated(schema, false), PATIENCE.compile)
    let all: ValidateFunction | undefined
    return {
      ok: true,
      schema,
      validate(body) {
        const errors = run(first, body, costly)
        if (errors.length === 0 || JSON.stringify(body).length > SMALL) return shown(errors)
        all ??= isolated(schema, true)
        return shown(run(all, body, costly))
      },
    }
  } catch (error) {
    return { ok: false, reason: reasonOf(error) }
  }
}

/** `$ref` may recurse, `uniqueItems` compares each with each, and a pattern may backtrack. */
function isCostly(schema: SchemaObject): boolean {
  let costly = false
  rebuild(schema, (part) => {
    const patterns = isObject(part.patternProperties) ? Object.keys(part.patternProperties) : []
    if (typeof part.pattern === 'string') patterns.push(part.pattern)
    costly ||= part.$ref !== undefined || part.uniqueItems === true || !patterns.every(isLinear)
    return part
  })
  return costly
}

function isolated(schema: SchemaObject, allErrors: boolean): ValidateFunction {
  const regExp = Object.assign((source: string) => pattern(source), { code: 'pattern' })
  const ajv = new Ajv2020({
    strict: false,
    logger: false,
    validateFormats: false,
    validateSchema: false,
    inlineRefs: false,
    verbose: true,
    allErrors,
    code: { regExp },
  })
  return ajv.compile(schema as AnySchema)
}

/** A check that cannot end leaves the body to the tool, except where the body is what is slow. */
function run(validate: ValidateFunction, body: unknown, costly: boolean): readonly ErrorObject[] {
  try {
    const right = costly ? limited(() => validate(body), PATIENCE.validate) : validate(body)
    return right === true ? [] : (validate.errors ?? [])
  } catch (error) {
    if (error instanceof TookTooLong) return [tooSlow]
    if (error instanceof RangeError) return []
    throw error
  }
}

const tooSlow: ErrorObject = {
  instancePath: '',
  schemaPath: '#',
  keyword: 'time',
  params: {},
  message: `takes over ${PATIENCE.validate} ms to check against the function's schema`,
}

function shown(errors: readonly ErrorObject[]): readonly FieldError[] {
  return errors.slice(0, MOST_ERRORS).map(fieldError)
}

function reasonOf(error: unknown): string {
  if (error instanceof SchemaRefused) return error.message
  if (error instanceof TookTooLong) return 'The schema takes too long to compile.'
  return error instanceof Error
    ? `It does not compile: ${error.message.slice(0, 300)}`
    : 'It fails.'
}
