import { isObject } from '../protocol/object.ts'
import { escapePointer, rebuild, type SchemaObject } from './walk.ts'

/** The document's `components.schemas` while it is being put together. */
export class Components {
  readonly #schemas = new Map<string, SchemaObject>()

  constructor(taken: Readonly<Record<string, SchemaObject>> = {}) {
    for (const [name, schema] of Object.entries(taken)) this.#schemas.set(name, schema)
  }

  /** Keeps a place under a name close to the one wished for, unlike any other. */
  reserve(wish: string): string {
    const plain = wish.replace(/[^A-Za-z0-9._-]/g, '_').slice(0, 200)
    let name = plain
    for (let count = 2; this.#schemas.has(name); count += 1) name = `${plain}_${count}`
    this.#schemas.set(name, {})
    return name
  }

  set(name: string, schema: SchemaObject): void {
    this.#schemas.set(name, schema)
  }

  toJSON(): SchemaObject {
    return Object.fromEntries(this.#schemas)
  }
}

/**
 * Puts a normalised schema into the components as `wish`, its `$defs` beside it as `wish__Name`,
 * and rewrites the references. Answers with a reference to it.
 */
export function join(schema: SchemaObject, wish: string, into: Components): { $ref: string } {
  const root = into.reserve(wish)
  const moved = new Map([['', root]])
  rebuild(schema, (part, pointer) => {
    for (const name of definitions(part)) {
      moved.set(`${pointer}/$defs/${escapePointer(name)}`, into.reserve(`${root}__${name}`))
    }
    return part
  })
  into.set(
    root,
    rebuild(schema, (part, pointer) => hoist(part, pointer)),
  )
  return { $ref: `#/components/schemas/${root}` }

  function hoist(part: SchemaObject, pointer: string): SchemaObject {
    const { $defs, ...rest } = part
    if (isObject($defs)) {
      for (const [name, inner] of Object.entries($defs)) {
        const at = `${pointer}/$defs/${escapePointer(name)}`
        const component = moved.get(at)
        if (component === undefined) continue
        into.set(component, isObject(inner) ? rebuild(inner, hoist, at) : whole(inner))
      }
    }
    if (typeof rest.$ref !== 'string') return rest
    return { ...rest, $ref: target(rest.$ref.slice(1), moved) }
  }
}

function definitions(part: SchemaObject): string[] {
  return isObject(part.$defs) ? Object.keys(part.$defs) : []
}

/** The schemas `true` and `false` as objects: not every reader knows them as components. */
function whole(schema: unknown): SchemaObject {
  return schema === false ? { not: {} } : {}
}

/** Where a pointer leads once the definitions have moved: the longest moved part of it decides. */
function target(pointer: string, moved: ReadonlyMap<string, string>): string {
  const decoded = decodePointer(pointer)
  for (let end = decoded.length; end >= 0; end = decoded.lastIndexOf('/', end - 1)) {
    const component = moved.get(decoded.slice(0, end))
    if (component !== undefined) return `#/components/schemas/${component}${decoded.slice(end)}`
    if (end === 0) break
  }
  return `#${pointer}`
}

function decodePointer(pointer: string): string {
  try {
    return decodeURIComponent(pointer)
  } catch {
    return pointer
  }
}
