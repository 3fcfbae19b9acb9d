import type { Learned } from '../../catalogue/catalogue.ts'
import type { JsonObject } from '../../protocol/message.ts'

/** What a tool lists, by kind. */
export type Lists = Pick<Learned, Kind>
export type Kind = 'functions' | 'prompts' | 'resources' | 'templates'

/** How each kind is asked for, where it stands in the answer, and how its change is told. */
export const KINDS: Readonly<Record<Kind, KindRow>> = {
  functions: { method: 'tools/list', key: 'tools', changed: 'notifications/tools/list_changed' },
  prompts: {
    method: 'prompts/list',
    key: 'prompts',
    changed: 'notifications/prompts/list_changed',
  },
  resources: {
    method: 'resources/list',
    key: 'resources',
    changed: 'notifications/resources/list_changed',
  },
  templates: {
    method: 'resources/templates/list',
    key: 'resourceTemplates',
    changed: 'notifications/resources/list_changed',
  },
}

interface KindRow {
  readonly method: string
  readonly key: string
  readonly changed: string
}

export const ALL_KINDS = Object.keys(KINDS) as readonly Kind[]

/** The kind that a method lists. */
export function kindOf(method: string | undefined): Kind | undefined {
  return ALL_KINDS.find((kind) => KINDS[kind].method === method)
}

/** The kinds that a notification says have changed. */
export function changedKinds(method: string | undefined): readonly Kind[] {
  return ALL_KINDS.filter((kind) => KINDS[kind].changed === method)
}

export const EMPTY: Lists = { functions: [], prompts: [], resources: [], templates: [] }

/** The string that an entry is found by; undefined for an entry that has none. */
export function keyOf(kind: Kind, entry: JsonObject): string | undefined {
  const key =
    kind === 'resources' ? entry.uri : kind === 'templates' ? entry.uriTemplate : entry.name
  return typeof key === 'string' ? key : undefined
}
