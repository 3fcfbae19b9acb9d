import { dirname, extname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Declaration } from '../tool/declaration.ts'

/**
 * How the functions of an inline tool are served: by this Node, in a process that imports the
 * tool's stored text and speaks MCP over stdio. `workspace`: the tool's own folder, null for none.
 */
export function inlineCommand(
  { file, name, version, runtime }: Declaration,
  workspace: string | null,
): { program: string; args: string[] } {
  const sources = runtime.kind === 'inline' ? (runtime.sources ?? '') : ''
  const compiled = sources === '' ? '' : join(dirname(dirname(sources)), 'compiled')
  const start = [START, compiled, ENTRY]
  const flags = ['--disable-warning=ExperimentalWarning']
  const tool = [file, `${name}@${version}`, sources, workspace ?? '']
  return { program: process.execPath, args: [...flags, ...start, ...tool] }
}

const START = join(dirname(import.meta.dirname), 'registry', 'start-child.js')
const ENTRY = pathToFileURL(
  join(import.meta.dirname, `inline-child${extname(import.meta.filename)}`),
).href
