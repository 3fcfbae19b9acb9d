import type { JsonObject } from '../../protocol/message.ts'
import type { Directory, Found } from './directory.ts'

/** What a listen on one tool is for: the tool's own ids, and the client's for them. */
export interface Below {
  /** The tool's name. */
  readonly tool: string
  readonly [URIS]: Map<string, string>
  readonly [TASKS]: Map<string, string>
}

export const URIS = 'resourceSubscriptions'
export const TASKS = 'taskIds'

/** What is of no tool that the caller may see is not honoured. */
export function byTool(directory: Directory, filter: JsonObject): Below[] {
  const all = new Map<string, Below>()
  const add = (field: typeof URIS | typeof TASKS, id: unknown, find: () => Found) => {
    let found: Found
    try {
      found = find()
    } catch {
      return
    }
    const { tool, own } = found
    const below = all.get(tool.name) ?? { tool: tool.name, [URIS]: new Map(), [TASKS]: new Map() }
    all.set(tool.name, below)
    below[field].set(own, String(id))
  }
  for (const uri of listOf(filter[URIS])) add(URIS, uri, () => directory.located(uri))
  for (const id of listOf(filter[TASKS])) add(TASKS, id, () => directory.task(id))
  return [...all.values()]
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}
