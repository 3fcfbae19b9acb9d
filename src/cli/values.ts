import { UsageError } from './usage-error.ts'

type Schema = Readonly<Record<string, unknown>>

/** The input of a function from `key=value` pairs and the `--json` part, by its input schema. */
export function readValues(
  pairs: readonly string[],
  json: string | undefined,
  schema: Schema,
): Record<string, unknown> {
  const input: Record<string, unknown> = json === undefined ? {} : readObject(json)
  const given = new Set<string>()
  for (const pair of pairs) {
    const at = pair.indexOf('=')
    const name = pair.slice(0, at)
    if (at < 1) throw new UsageError(`"${pair}" is no key=value`)
    if (given.has(name)) throw new UsageError(`${name} is given twice; write a list as JSON`)
    given.add(name)
    const value = readValue(name, pair.slice(at + 1), typesOf(propertyOf(schema, name), schema))
    Object.defineProperty(input, name, { value, enumerable: true, configurable: true })
  }
  return input
}

function readValue(name: string, text: string, types: ReadonlySet<string>): unknown {
  if (types.size === 1 && types.has('string')) return text
  const value = parse(text)
  const textFits = types.size === 0 || types.has('string')
  if (value === undefined) {
    if (textFits) return text
    throw new UsageError(
      `${name}: found ${JSON.stringify(text)}, expected ${[...types].join(' or ')}`,
    )
  }
  // Where both text and JSON may stand, JSON is meant only if it is of a type that fits.
  return types.size > 0 && textFits && !fits(value, types) ? text : value
}

function readObject(json: string): Record<string, unknown> {
  const value = parse(json)
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new UsageError('--json needs a JSON object')
  return { ...value }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function propertyOf(schema: Schema, name: string): unknown {
  const { properties } = schema
  return isRecord(properties) && Object.hasOwn(properties, name) ? properties[name] : undefined
}

/** The JSON types a schema names, through references and alternatives; empty: any. */
function typesOf(schema: unknown, root: Schema, depth = 0): Set<string> {
  if (!isRecord(schema) || depth > 8) return new Set()
  const { type, enum: words, $ref, anyOf, oneOf, allOf } = schema
  if (typeof type === 'string') return new Set([type])
  if (Array.isArray(type)) return new Set(type.map(String))
  if (Array.isArray(words)) return new Set(words.map(typeOf))
  if (typeof $ref === 'string') return typesOf(follow($ref, root), root, depth + 1)
  const inner = [anyOf, oneOf, allOf].flatMap((list) => (Array.isArray(list) ? list : []))
  return new Set(inner.flatMap((one) => [...typesOf(one, root, depth + 1)]))
}

/** `#/$defs/name`; anything else is not followed. */
function follow(ref: string, root: Schema): unknown {
  let at: unknown = root
  for (const part of ref.split('/').slice(1)) {
    const name = part.replaceAll('~1', '/').replaceAll('~0', '~')
    at = isRecord(at) && Object.hasOwn(at, name) ? at[name] : undefined
  }
  return ref.startsWith('#/') ? at : undefined
}

function fits(value: unknown, types: ReadonlySet<string>): boolean {
  const type = typeOf(value)
  return types.has(type) || (type === 'number' && types.has('integer'))
}

function typeOf(value: unknown): string {
  if (value === null) return 'null'
  return Array.isArray(value) ? 'array' : typeof value
}

function isRecord(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
