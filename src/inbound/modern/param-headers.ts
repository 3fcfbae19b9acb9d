import type { IncomingMessage } from 'node:http'
import type { Catalogue } from '../../catalogue/catalogue.ts'
import type { Config } from '../../config/config.ts'
import { isObject } from '../../protocol/object.ts'
import type { Declaration, FunctionDeclaration, JsonSchema } from '../../tool/declaration.ts'
import { within } from '../../within.ts'
import { decoded, headerOf, mismatch } from './headers.ts'

export interface ParamParts {
  readonly config: Config
  readonly catalogue: Catalogue
}

/**
 * Compares each `Mcp-Param-*` header that a function's input schema asks for with the argument it
 * mirrors. Throws `header_mismatch`. A promise where the tool has to be learned first; what cannot
 * be learned in time is not compared.
 */
export function checkParams(
  parts: ParamParts,
  tool: Declaration,
  req: IncomingMessage,
  name: string,
  args: unknown,
): undefined | Promise<void> {
  const state = parts.catalogue.look(tool)
  if (state.state !== 'learned') return learnThenCheck(parts, tool, req, name, args)
  compare(state.learned.functions, req, name, args)
  return undefined
}

async function learnThenCheck(
  { config, catalogue }: ParamParts,
  tool: Declaration,
  req: IncomingMessage,
  name: string,
  args: unknown,
): Promise<void> {
  await within(catalogue.learn(tool), config.timeouts.start).catch(() => {})
  const state = catalogue.peek(tool)
  if (state?.state === 'learned') compare(state.learned.functions, req, name, args)
}

function compare(
  functions: readonly FunctionDeclaration[],
  req: IncomingMessage,
  name: string,
  args: unknown,
): void {
  const mirrored = mirroredBy(functions).get(name)
  if (mirrored === undefined) return
  for (const { shown, header, path } of mirrored) {
    const given = headerOf(req, shown, header)
    const value = valueAt(args, path)
    if (value === undefined || value === null) {
      if (given !== undefined) throw mismatch(shown, `has no argument ${path.join('.')} to mirror`)
    } else {
      if (given === undefined) throw mismatch(shown, 'is needed')
      if (!isSame(decoded(shown, given), value)) {
        throw mismatch(shown, `differs from the argument ${path.join('.')}`)
      }
    }
  }
}

function isSame(given: string, value: unknown): boolean {
  switch (typeof value) {
    case 'string':
      return given === value
    case 'boolean':
      return given === String(value)
    case 'number':
      // Beyond this range two readers may disagree about what a number is.
      return Number.isSafeInteger(value) && INTEGER.test(given) && Number(given) === value
    default:
      return false
  }
}

/** `42` and `42.0` are the same integer. */
const INTEGER = /^-?(?:0|[1-9]\d{0,15})(?:\.0+)?$/

function valueAt(args: unknown, path: readonly string[]): unknown {
  let value = args
  for (const key of path) {
    if (!isObject(value) || !Object.hasOwn(value, key)) return undefined
    value = value[key]
  }
  return value
}

/** An argument that a header mirrors. */
interface Mirrored {
  /** Such as `Mcp-Param-Region`. */
  readonly shown: string
  /** The same in lower case. */
  readonly header: string
  readonly path: readonly string[]
}

type ByFunction = ReadonlyMap<string, readonly Mirrored[]>

const known = new WeakMap<readonly FunctionDeclaration[], ByFunction>()

/** What is mirrored of each function; those with nothing are not in it. */
function mirroredBy(functions: readonly FunctionDeclaration[]): ByFunction {
  let found = known.get(functions)
  if (found === undefined) {
    found = new Map(
      functions
        .map(({ name, inputSchema }) => [name, mirroredIn(inputSchema)] as const)
        .filter(([, mirrored]) => mirrored.length > 0),
    )
    known.set(functions, found)
  }
  return found
}

/** What `x-mcp-header` marks; a mark where none may be means nothing, a name on two means neither. */
export function mirroredIn(schema: JsonSchema): readonly Mirrored[] {
  const found = new Map<string, Mirrored | undefined>()
  const visit = (node: unknown, path: readonly string[]): void => {
    if (!isObject(node)) return
    const name = node['x-mcp-header']
    if (typeof name === 'string' && TOKEN.test(name) && path.length > 0 && isPrimitive(node.type)) {
      const shown = `Mcp-Param-${name}`
      const header = shown.toLowerCase()
      found.set(header, found.has(header) ? undefined : { shown, header, path })
    }
    if (!isObject(node.properties) || path.length === DEEPEST) return
    for (const [key, child] of Object.entries(node.properties)) visit(child, [...path, key])
  }
  visit(schema, [])
  return [...found.values()].filter((mirrored) => mirrored !== undefined)
}

function isPrimitive(type: unknown): boolean {
  return type === 'string' || type === 'integer' || type === 'boolean'
}

/** RFC 9110, 5.6.2. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
const DEEPEST = 32
