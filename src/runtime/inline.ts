import { existsSync } from 'node:fs'
import { dirname, extname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { Declaration } from '../tool/declaration.ts'
import type { Program } from './driver.ts'

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
  const start = [START, compiled, ENTRY]
  const flags = ['--disable-warning=ExperimentalWarning']
  const tool = [file, `${name}@${version}`, sources, workspace ?? '']
  const stored = sources === '' ? [dirname(file)] : [sources, compiled]
  return {
    program: process.execPath,
    args: [...flags, ...start, ...tool],
    needs: [...OWN, ...stored, ...packagesAbove(file)].filter((path) => existsSync(path)),
  }
}

const SRC = dirname(import.meta.dirname)
const START = join(SRC, 'registry', 'start-child.js')
const ENTRY = pathToFileURL(
  join(import.meta.dirname, `inline-child${extname(import.meta.filename)}`),
).href

/** The gateway's code that runs in the child, how Node is to read it, and zod. */
const OWN = [
  SRC,
  join(dirname(SRC), 'package.json'),
  dirname(fileURLToPath(import.meta.resolve('zod/package.json'))),
]

/** Where Node looks for the packages that a tool's file imports. */
export function packagesAbove(file: string): string[] {
  const folders: string[] = []
  for (let at = dirname(file); at !== dirname(at); at = dirname(at)) {
    folders.push(join(at, 'node_modules'))
  }
  return folders.filter((folder) => existsSync(folder))
}
