import { ToolgateError } from '../errors.ts'
import type { SharedConnection } from '../outbound/connection.ts'
import type { JsonObject } from '../protocol/message.ts'
import { isObject } from '../protocol/object.ts'
import type { FunctionDeclaration } from '../tool/declaration.ts'
import type { Learned } from './catalogue.ts'

type Lists = Pick<Learned, 'functions' | 'prompts' | 'resources' | 'templates'>

/**
 * Whatever the tool lists, as far as its capabilities offer it. Rejects with `tool_misbehaved`
 * where `tools/list` fails; another list that fails stays as it was `before`.
 */
export async function listAll(
  connection: SharedConnection,
  { capabilities }: JsonObject,
  before: Learned | undefined,
): Promise<Lists> {
  const offered = isObject(capabilities) ? capabilities : {}
  const list = async (wanted: List): Promise<JsonObject[]> =>
    wanted.capability in offered ? readList(connection, wanted) : []
  const optional = (wanted: List, known: readonly JsonObject[] = []) =>
    list(wanted).catch(() => known)
  const [functions, prompts, resources, templates] = await Promise.all([
    list(FUNCTIONS),
    optional(PROMPTS, before?.prompts),
    optional(RESOURCES, before?.resources),
    optional(TEMPLATES, before?.templates),
  ])
  return { functions: functions.filter(isFunction), prompts, resources, templates }
}

interface List {
  readonly method: string
  /** Of the result. */
  readonly key: string
  readonly capability: string
  /** What every item of it has. */
  readonly named: string
  /** Milliseconds for one page. */
  readonly budget: number
}

const FUNCTIONS: List = {
  method: 'tools/list',
  key: 'tools',
  capability: 'tools',
  named: 'name',
  budget: 30_000,
}
const PROMPTS: List = {
  method: 'prompts/list',
  key: 'prompts',
  capability: 'prompts',
  named: 'name',
  budget: 10_000,
}
const RESOURCES: List = {
  method: 'resources/list',
  key: 'resources',
  capability: 'resources',
  named: 'uri',
  budget: 10_000,
}
const TEMPLATES: List = {
  method: 'resources/templates/list',
  key: 'resourceTemplates',
  capability: 'resources',
  named: 'uriTemplate',
  budget: 10_000,
}

async function readList(connection: SharedConnection, list: List): Promise<JsonObject[]> {
  const { method, key, named, budget } = list
  const items: JsonObject[] = []
  let cursor: unknown
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const params = cursor === undefined ? {} : { cursor }
    const { result, error } = (await connection.ask(method, params, budget)).json()
    const found = isObject(result) ? result[key] : undefined
    if (!Array.isArray(found)) {
      const why = String((isObject(error) && error.message) || 'no list came back')
      throw new ToolgateError('tool_misbehaved', `${method} failed: ${why}.`)
    }
    items.push(...found.filter((item) => isObject(item) && typeof item[named] === 'string'))
    cursor = (result as JsonObject).nextCursor
    if (typeof cursor !== 'string' || items.length >= MOST_ITEMS) break
  }
  return items
}

const MOST_PAGES = 100
const MOST_ITEMS = 2000

function isFunction(item: JsonObject): item is JsonObject & FunctionDeclaration {
  return isObject(item.inputSchema)
}
