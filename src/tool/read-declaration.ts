import type { Declaration, Policy, Runtime } from './declaration.ts'
import { DURATION_FORM, parseDuration } from './duration.ts'
import { Field, isRecord, type Mistake } from './mistakes.ts'
import { readPolicy } from './read-policy.ts'
import { readRuntime } from './read-runtime.ts'
import { parseSize, SIZE_FORM } from './size.ts'

/** A declaration before the registry gives it a name, a version and a file. */
export type DeclarationBody = Omit<Declaration, 'name' | 'version' | 'file'>

export type Reading<T> = { readonly declaration: T } | { readonly errors: readonly Mistake[] }

/** What differs between what an author writes and the plain data that comes out. */
export interface Form {
  /** Milliseconds. */
  duration(field: Field): number | undefined
  /** Bytes. */
  size(field: Field): number | undefined
  /** JSON Schema of a function's `input` or `output`; absent: the schemas are plain already. */
  readonly schema?: (schema: unknown, side: 'input' | 'output') => unknown
}

/**
 * What a tool's file exports, as plain data; or every mistake in it at once. `schema` turns a zod
 * schema into JSON Schema 2020-12, and throws with the reason where that cannot be done.
 */
export function readDeclaration(
  value: unknown,
  schema: NonNullable<Form['schema']>,
): Reading<DeclarationBody> {
  if (value === undefined) {
    const expected = 'export default defineTool({ … })'
    return { errors: [{ path: '', message: 'there is no default export', expected }] }
  }
  return read(value, { ...AUTHORED, schema })
}

/**
 * Plain data from the child that read the file, checked again: the child runs the author's code
 * and could have printed anything. Throws a TypeError that names the first mistake.
 */
export function checkDeclaration(data: unknown): Declaration {
  if (!isRecord(data)) throw new TypeError('The declaration is not an object.')
  const { name, version, file, ...rest } = data
  const identity = new Field({ name, version, file })
  const named = identity.at('name').text()
  const versioned = identity.at('version').text()
  const filed = identity.at('file').text()
  const body = read(rest, PLAIN)
  const mistake = identity.mistakes[0] ?? ('errors' in body ? body.errors[0] : undefined)
  if (mistake !== undefined) throw new TypeError(`${mistake.path}: ${mistake.message}`)
  if ('errors' in body || !named || !versioned || !filed) throw new TypeError('Nothing was read.')
  return { name: named, version: versioned, file: filed, ...body.declaration }
}

const KEYS = [
  'description',
  'runtime',
  'title',
  'tags',
  'policy',
  'mode',
  'timeout',
  'idle',
  'instances',
  'warm',
  'limits',
  'access',
  'era',
]

function read(value: unknown, form: Form): Reading<DeclarationBody> {
  const root = new Field(value)
  if (!root.object(KEYS, 'what defineTool({ … }) returns')) return { errors: root.mistakes }
  const description = root.at('description').text('a sentence that says what the tool is for')
  const runtime = readRuntime(root.at('runtime'), form)
  const title = optional(root.at('title'), (field) => field.text())
  const policy = readPolicy(root.at('policy'), form)
  const mode =
    optional(root.at('mode'), (field) => field.oneOf(['launcher', 'daemon'])) ??
    (runtime?.kind === 'inline' ? 'daemon' : 'launcher')
  if (mode === 'daemon') refuseOwnWorkspaces(root.at('policy').at('workspace'), policy, runtime)
  const body = {
    ...(title === null ? {} : { title }),
    tags: root.at('tags').texts(),
    policy,
    mode,
    timeout: optional(root.at('timeout'), form.duration),
    idle: optional(root.at('idle'), form.duration),
    instances: readInstances(root.at('instances')),
    warm: readWarm(root.at('warm')),
    limits: optional(root.at('limits'), (field) => readLimits(field, form)),
    access: readAccess(root.at('access')),
    era: optional(root.at('era'), (field) => field.oneOf(['legacy', 'modern'])),
  } as const
  if (body.mode === 'daemon' && body.warm.spares > 0) {
    root.at('warm').wrong("nothing: spares are for mode 'launcher', a daemon has instances")
  }
  if (body.mode === 'launcher' && (body.instances.min > 0 || body.instances.max > 1)) {
    root
      .at('instances')
      .wrong("nothing: a launcher has one for each session; mode 'daemon' has more")
  }
  if (root.mistakes.length > 0 || description === undefined || runtime === undefined) {
    return { errors: root.mistakes }
  }
  return { declaration: { description, runtime, ...body } }
}

/** One process that serves all callers sees one folder. */
function refuseOwnWorkspaces(
  field: Field,
  { workspace: { per } }: Policy,
  runtime?: Runtime,
): void {
  if (per === 'tool') return
  const unsaid = runtime?.kind === 'inline' ? ', which inline tools are unless told otherwise' : ''
  field.wrong(
    "per: 'tool', or mode: 'launcher' for a process of its own",
    `a folder per ${per} needs a process per ${per}, and this tool is a daemon${unsaid}`,
  )
}

/** Absent or wrong gives null; what is wrong has been noted. */
function optional<T>(field: Field, read: (field: Field) => T | undefined): T | null {
  return field.absent ? null : (read(field) ?? null)
}

/** One number: that many at most, and none kept for certain. */
function readInstances(field: Field): Declaration['instances'] {
  if (field.absent) return { min: 0, max: 1 }
  if (typeof field.value === 'number') return { min: 0, max: field.count(1, 1_000) ?? 1 }
  if (!field.object(['min', 'max'], 'a number, or an object with min and max')) {
    return { min: 0, max: 1 }
  }
  const min = optional(field.at('min'), (bound) => bound.count(0, 1_000)) ?? 0
  const max = optional(field.at('max'), (bound) => bound.count(1, 1_000)) ?? Math.max(1, min)
  if (min > max) field.at('min').wrong(`at most max, which is ${max}`)
  return { min, max }
}

/** One number: so many, told nothing. */
function readWarm(field: Field): Declaration['warm'] {
  const count = (spares: Field) => spares.count(0, 100) ?? 0
  if (typeof field.value === 'number') return { spares: count(field), initialized: false }
  if (
    field.absent ||
    !field.object(['spares', 'initialized'], 'a number, or an object with spares')
  ) {
    return { spares: 0, initialized: false }
  }
  return { spares: count(field.at('spares')), initialized: field.at('initialized').flag(false) }
}

function readLimits(field: Field, form: Form): Declaration['limits'] | undefined {
  if (!field.object(['calls', 'per', 'burst'], "an object such as { calls: 60, per: '1m' }")) return
  const calls = field.at('calls').count(1, 1e9)
  const per = form.duration(field.at('per'))
  const burst = optional(field.at('burst'), (bound) => bound.count(0, 1e9)) ?? 0
  return calls === undefined || per === undefined ? undefined : { calls, per, burst }
}

function readAccess(field: Field): Declaration['access'] {
  const good = !field.absent && field.object(['scopes', 'roles'])
  if (!good) return { scopes: [], roles: [] }
  return { scopes: field.at('scopes').texts(), roles: field.at('roles').texts() }
}

const AUTHORED: Form = {
  duration: (field) => parsed(field, parseDuration, DURATION_FORM),
  size: (field) => parsed(field, parseSize, SIZE_FORM),
}

const PLAIN: Form = {
  duration: (field) => field.count(1, 2 ** 31 - 1, 'milliseconds'),
  size: (field) => field.count(1, Number.MAX_SAFE_INTEGER, 'bytes'),
}

function parsed(field: Field, parse: (text: string) => number, form: string): number | undefined {
  const { value } = field
  if (typeof value !== 'string') return field.wrong(form)
  try {
    const number = parse(value)
    return number > 0 ? number : field.wrong(`${form}, more than zero`)
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/^expected /, '') : form
    return field.wrong(reason)
  }
}
