import type { JsonObject } from '../../protocol/message.ts'
import { isObject } from '../../protocol/object.ts'
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

  task(id: string): string {
    return ofTool(this.tool, id)
  }

  /** What `_meta` refers to: the UI of MCP Apps, its older keys, the task it is about. */
  meta(meta: JsonObject): JsonObject {
    const written = { ...meta }
    for (const key of UI_KEYS) {
      const uri = meta[key]
      if (typeof uri === 'string') written[key] = this.uri(uri)
    }
    const { ui, [RELATED_TASK]: related } = meta
    if (isObject(ui) && typeof ui.resourceUri === 'string') {
      written.ui = { ...ui, resourceUri: this.uri(ui.resourceUri) }
    }
    if (isObject(related) && typeof related.taskId === 'string') {
      written[RELATED_TASK] = { ...related, taskId: this.task(related.taskId) }
    }
    return written
  }

  /** An object of MCP with its `_meta` so written. */
  marked(object: JsonObject): JsonObject {
    return isObject(object._meta) ? { ...object, _meta: this.meta(object._meta) } : object
  }
}

export const RELATED_TASK = 'io.modelcontextprotocol/related-task'
const UI_KEYS = ['ui/resourceUri', 'openai/outputTemplate']
const WEB = new Set(['http:', 'https:', 'data:'])
