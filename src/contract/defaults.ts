import { rebuild, type SchemaObject } from './walk.ts'

/** Most characters of a default that are told. */
const MOST = 200

/**
 * Tells each `default` in words and as an example instead: generators of clients take a property
 * that has one for always there, and a client would have to send what it may leave out.
 */
export function tellDefaults(schema: SchemaObject): SchemaObject {
  return rebuild(schema, (part) => {
    const { default: value, ...rest } = part
    if (value === undefined) return part
    const text = JSON.stringify(value)
    const told = text.length > MOST ? 'Has a default.' : `Default: ${text}.`
    const { description } = rest
    return {
      ...rest,
      description: typeof description === 'string' ? `${description} ${told}` : told,
      ...(rest.examples === undefined && { examples: [value] }),
    }
  })
}
