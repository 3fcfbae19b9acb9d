/**
 * A tool's URI as it stands on `/mcp`: `{tool}__` after `scheme://`, after `scheme:` where there is
 * no `//`, in front where there is no scheme. So the scheme stays, and a template a template.
 */
export function withTool(tool: string, uri: string): string {
  const [scheme] = SCHEME.exec(uri) ?? ['']
  return scheme + ofTool(tool, uri.slice(scheme.length))
}

/** `{tool}__{id}`; a `_` that ends the name is `%5F`, so that the first `__` always ends it. */
export function ofTool(tool: string, id: string): string {
  return `${tool.replace(/_$/, '%5F')}__${id}`
}

/** The tool that goes by this name, as it is written; undefined where there is none. */
export type FindTool = (name: string) => string | undefined

/** Whose a URI of `/mcp` is, and what it is to that tool; undefined where no tool fits. */
export function splitUri(uri: string, find: FindTool): Split | undefined {
  const [scheme] = SCHEME.exec(uri) ?? ['']
  const split = splitId(uri.slice(scheme.length), find)
  return split && { tool: split.tool, own: scheme + split.own }
}

export interface Split {
  readonly tool: string
  readonly own: string
}

/** The same of `{tool}__{id}`. */
export function splitId(id: string, find: FindTool): Split | undefined {
  const end = id.indexOf('__')
  if (end < 0) return undefined
  const tool = find(id.slice(0, end).replace(/%5f$/i, '_'))
  const own = id.slice(end + 2)
  if (tool !== undefined) return { tool, own }
  // Written by hand: `a___b` may be `b` of `a_`.
  const longer = own.startsWith('_') ? find(`${id.slice(0, end)}_`) : undefined
  return longer === undefined ? undefined : { tool: longer, own: own.slice(1) }
}

/** `scheme:` or `scheme://` in small letters; empty where there is none. */
export function schemeOf(uri: string): string {
  return SCHEME.exec(uri)?.[0].toLowerCase().replace(/\/\/$/, '') ?? ''
}

const SCHEME = /^[A-Za-z][A-Za-z0-9+.-]*:(?:\/\/)?/
