import { existsSync, realpathSync } from 'node:fs'
import { dirname, extname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Declaration } from '../tool/declaration.ts'
import type { Program } from './starting.ts'

/**
 * How the functions of an inline tool are served: by this Node, in a process that imports the
 * tool's stored text and speaks MCP over stdio. `workspace`: the tool's own folder, null for none.
 */
export function inlineCommand(
  { file, name, version, runtime }: Declaration,
  workspace: string | null,
): Program {
  const sources = runtime.kind === 'inline' ? (runtime.sources ?? '') : ''
  const compiled = sources === '' ? '' : join(dirname(dirname(sources)), 'compiled')
  const start = [START_CHILD, compiled, ENTRY]
  const flags = ['--disable-warning=ExperimentalWarning']
  const tool = [file, `${name}@${version}`, sources, workspace ?? '']
  const stored = sources === '' ? [dirname(file)] : [sources, compiled]
  return {
    program: process.execPath,
    args: [...flags, ...start, ...tool],
    needs: [...OWN_CODE, ...stored, ...packagesAbove(file)].filter((path) => existsSync(path)),
  }
}

const SRC = dirname(import.meta.dirname)
export const START_CHILD = join(SRC, 'registry', 'start-child.js')
const ENTRY = pathToFileURL(
  join(import.meta.dirname, `inline-child${extname(import.meta.filename)}`),
).href

/** The gateway's code that runs in the child, how Node is to read it, and zod. */
export const OWN_CODE: readonly string[] = [
  SRC,
  join(dirname(SRC), 'package.json'),
  ...above(SRC, join('node_modules', 'zod')).slice(0, 1),
]

/** Where Node looks for the packages that a tool's file imports, and the file it is a link to. */
export function packagesAbove(file: string): string[] {
  return [...new Set([file, realPath(file)].flatMap((path) => above(path, 'node_modules')))]
}

function realPath(file: string): string {
  try {
    return realpathSync(file)
  } catch {
    return file
  }
}

/** What has this name in a folder above a file, the nearest first. */
function above(file: string, name: string): string[] {
  const found: string[] = []
  for (let at = dirname(file); at !== dirname(at); at = dirname(at)) found.push(join(at, name))
  return found.filter((path) => existsSync(path))
}
