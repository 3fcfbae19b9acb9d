import type { FunctionDeclaration, JsonSchema, Runtime } from './declaration.ts'
import { type Field, isRecord } from './mistakes.ts'
import type { Form } from './read-declaration.ts'

const FORMS = 'command(…), npm(…), container(…) or inline({ … })'
const KINDS = ['command', 'npm', 'container', 'inline'] as const

/** How a tool runs. Undefined where something in it is wrong, which has been noted. */
export function readRuntime(field: Field, form: Form): Runtime | undefined {
  if (!isRecord(field.value)) return field.wrong(FORMS)
  const kind = KINDS.find((known) => known === field.at('kind').value)
  switch (kind) {
    case 'command': {
      field.object(['kind', 'program', 'args'])
      const program = field.at('program').text('a program, such as command("python3", …)')
      return program === undefined ? undefined : { kind, program, args: readArguments(field) }
    }
    case 'npm':
      return readPackage(field)
    case 'container': {
      field.object(['kind', 'image', 'args'])
      const expected = 'an image, such as ghcr.io/github/github-mcp-server:v1.2.0'
      const image = field.at('image').text(expected)
      if (image !== undefined && /\s|^-/.test(image)) return field.at('image').wrong(expected)
      return image === undefined ? undefined : { kind, image, args: readArguments(field) }
    }
    case 'inline': {
      field.object(['kind', 'functions'])
      const functions = readFunctions(field.at('functions'), form)
      return functions && { kind, functions }
    }
    default:
      return field.wrong(FORMS, 'it was not made by one of the builders')
  }
}

function readArguments(field: Field): string[] {
  const each = 'a text, in which a path inside {workspace} may follow it, such as {workspace}/cache'
  return field.at('args').texts(each, (arg) => !leavesWorkspace(arg))
}

/** Whether what follows `{workspace}` leads out of it, or makes it the name of a folder beside it. */
function leavesWorkspace(arg: string): boolean {
  const [, ...paths] = arg.split('{workspace}')
  return paths.some((path) => OUTSIDE.test(decoded(path)))
}

const OUTSIDE = /^[\w%-]|(?:^|[/\\])\.\.(?:$|[/\\\s,:;"'])|\0/

/** As a program may read it that decodes what it is given, and again what comes out of that. */
function decoded(text: string): string {
  let plain = text
  for (let round = 0; round < 3; round += 1) {
    plain = plain.replace(/%([0-7][0-9a-f])/gi, (_, hex) => String.fromCharCode(parseInt(hex, 16)))
  }
  return plain
}

function readPackage(field: Field): Runtime | undefined {
  field.object(['kind', 'package', 'version', 'args'])
  const name = field.at('package')
  const version = field.at('version')
  const names = typeof name.value === 'string' && NPM_NAME.test(name.value)
  const exact = typeof version.value === 'string' && NPM_VERSION.test(version.value)
  if (!names) name.wrong("the name of an npm package, such as npm('@scope/name@1.2.3')")
  if (!exact) version.wrong("an exact version, such as npm('@scope/name@1.2.3')")
  const args = readArguments(field)
  if (!names || !exact) return undefined
  return { kind: 'npm', package: String(name.value), version: String(version.value), args }
}

const NPM_NAME = /^(?=.{1,214}$)(?:@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*$/i
const NPM_VERSION =
  /^\d{1,15}\.\d{1,15}\.\d{1,15}(?:-[0-9A-Za-z.-]{1,64})?(?:\+[0-9A-Za-z.-]{1,64})?$/

/** An author's functions are an object by name; in plain data they are a list. */
function readFunctions(field: Field, form: Form): FunctionDeclaration[] | undefined {
  const { schema } = form
  if (schema === undefined) {
    if (!Array.isArray(field.value)) return field.wrong('a list')
    return field.value.flatMap((_, index) => readPlainFunction(field.at(index)) ?? [])
  }
  if (!isRecord(field.value)) return field.wrong('an object of functions by name')
  const names = Object.keys(field.value)
  if (names.length === 0) return field.wrong('at least one function', 'there is none')
  return names.flatMap((name) => {
    const one = field.at(name)
    if (!FUNCTION_NAME.test(name)) one.wrong(NAME_FORM, `"${name}" is not allowed`)
    return readFunction(name, one, schema) ?? []
  })
}

const FUNCTION_NAME = /^[A-Za-z0-9_.-]{1,64}$/
const NAME_FORM = 'a name of 1 to 64 letters, digits, _, - or .'

const FUNCTION_KEYS = ['description', 'title', 'input', 'output', 'annotations', 'run']

function readFunction(
  name: string,
  field: Field,
  schema: NonNullable<Form['schema']>,
): FunctionDeclaration | undefined {
  if (!field.object(FUNCTION_KEYS, 'fn({ … })')) return undefined
  if (typeof field.at('run').value !== 'function') field.at('run').wrong('a function')
  const description = field.at('description').text('a sentence that says what the function does')
  const inputSchema = readZod(field.at('input'), 'input', schema)
  const output = field.at('output')
  const outputSchema = output.absent ? undefined : readZod(output, 'output', schema)
  if (description === undefined || inputSchema === undefined) return undefined
  return { name, description, inputSchema, ...readExtras(field, outputSchema) }
}

function readZod(
  field: Field,
  side: 'input' | 'output',
  schema: NonNullable<Form['schema']>,
): JsonSchema | undefined {
  const expected = `a zod object, such as z.object({ … }), that JSON Schema can express`
  if (!isRecord(field.value) || !isRecord(field.at('_zod').value)) return field.wrong(expected)
  try {
    const json = schema(field.value, side)
    if (isRecord(json) && json.type === 'object') return json
    return field.wrong(expected, 'it does not describe an object')
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return field.wrong(expected, reason)
  }
}

const PLAIN_KEYS = ['name', 'title', 'description', 'inputSchema', 'outputSchema', 'annotations']

function readPlainFunction(field: Field): FunctionDeclaration | undefined {
  if (!field.object(PLAIN_KEYS)) return undefined
  const { name, description, inputSchema, outputSchema } = field.value as Record<string, unknown>
  if (typeof name !== 'string' || !FUNCTION_NAME.test(name)) return field.wrong(NAME_FORM)
  if (typeof description !== 'string') return field.at('description').wrong('a text')
  if (!isObjectSchema(inputSchema)) return field.at('inputSchema').wrong('an object schema')
  if (outputSchema === undefined) return { name, description, inputSchema, ...readExtras(field) }
  if (!isObjectSchema(outputSchema)) return field.at('outputSchema').wrong('an object schema')
  return { name, description, inputSchema, ...readExtras(field, outputSchema) }
}

function isObjectSchema(value: unknown): value is JsonSchema {
  return isRecord(value) && value.type === 'object'
}

function readExtras(field: Field, outputSchema?: JsonSchema) {
  const title = field.at('title')
  const annotations = field.at('annotations')
  if (!annotations.absent && !isRecord(annotations.value)) annotations.wrong('an object')
  const named = title.absent ? undefined : title.text()
  return {
    ...(named === undefined ? {} : { title: named }),
    ...(outputSchema === undefined ? {} : { outputSchema }),
    ...(isRecord(annotations.value) ? { annotations: annotations.value } : {}),
  }
}
