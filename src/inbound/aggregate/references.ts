import type { JsonObject } from '../../protocol/message.ts'
import { isObject } from '../../protocol/object.ts'
import { withRelatedTask } from '../tasks/ids.ts'
import { ofTool, schemeOf, withTool } from './uris.ts'

/** How what one tool refers to is written on `/mcp`. */
export class References {
  readonly tool: string
  readonly #schemes: ReadonlySet<string>

  /** `listed`: the URIs and templates that the tool lists. */
  constructor(tool: string, listed: Iterable<string>) {
    this.tool = tool
    this.#schemes = new Set(Array.from(listed, schemeOf))
  }

  uri(uri: string): string {
    return withTool(this.tool, uri)
  }

  /**
   * What a result links to or embeds. The web is the client's own to read (MCP, common URI
   * schemes), unless the tool lists resources of that scheme.
   */
  link(uri: string): string {
    const scheme = schemeOf(uri)
    return WEB.has(scheme) && !this.#schemes.has(scheme) ? uri : this.uri(uri)
  }

  /** An id that no two things of one server may share: of a task, of an elicitation. */
  id(id: string): string {
    return ofTool(this.tool, id)
  }

  /** An object of MCP with what its `_meta` refers to: its page, the task it is about. */
  marked(object: JsonObject): JsonObject {
    if (!isObject(object._meta)) return object
    const marked = { ...object, _meta: this.#withPage(object._meta) }
    return withRelatedTask(marked, (id) => this.id(id))
  }

  #withPage(meta: JsonObject): JsonObject {
    const written = { ...meta }
    for (const key of PAGE_KEYS) {
      const uri = meta[key]
      if (typeof uri === 'string') written[key] = this.uri(uri)
    }
    const { ui } = meta
    if (isObject(ui) && typeof ui.resourceUri === 'string') {
      written.ui = { ...ui, resourceUri: this.uri(ui.resourceUri) }
    }
    return written
  }
}

/** Whether a function's `_meta` names the page that shows its answers (MCP Apps). */
export function showsPage(meta: unknown): boolean {
  return isObject(meta) && (isObject(meta.ui) || PAGE_KEYS.some((key) => key in meta))
}

/** Older keys for the same. */
const PAGE_KEYS = ['ui/resourceUri', 'openai/outputTemplate']
const WEB = new Set(['http:', 'https:', 'data:'])
