/**
 * A process that imports one inline tool and serves its functions as an MCP server over stdio.
 * Arguments: the tool's file, its `name@version`, the file of its stored text, its workspace.
 */
import { readFileSync, realpathSync } from 'node:fs'
import { flushCompileCache } from 'node:module'
import { dirname } from 'node:path'
import { pathToFileURL } from 'node:url'
import { LineReader } from '../protocol/line-codec.ts'
import { registerToolHooks, type Source } from '../registry/tool-hooks.ts'
import type { ToolOptions } from '../tool/options.ts'
import { InlineServer } from './inline-server.ts'

/** Most bytes of one message. */
const MOST = 64 * 2 ** 20

/** Milliseconds that calls under way are given once stdin has ended. */
const LAST = 1_000

const [, , file = '', identity = '', stored = '', workspace = ''] = process.argv
const write = keepStdout()
const server = new InlineServer({
  tool: await importTool(),
  identity,
  workspace: workspace === '' ? null : workspace,
  send: (message) => write(`${JSON.stringify(message)}\n`),
})
const reader = new LineReader({
  limit: MOST,
  onLine: (line) => server.receive(line.toString('utf8')),
  onTooLong: () => end(1),
})
process.stdin.on('data', (chunk: Buffer) => reader.push(chunk))
process.stdin.on('end', () => {
  reader.end()
  void server.finish(LAST).then(() => end(0))
})
process.stdin.on('error', () => end(1))
process.stdout.on('error', () => end(1))
setTimeout(flushCompileCache, LAST).unref()

/** Stdout belongs to the protocol: what the tool prints goes to stderr. */
function keepStdout(): (line: string) => boolean {
  const own = process.stdout.write.bind(process.stdout)
  process.stdout.write = process.stderr.write.bind(process.stderr)
  return own
}

/** Imports the text of this version, whatever the files say by now. */
async function importTool(): Promise<ToolOptions> {
  const text = stored === '' ? '{}' : readFileSync(stored, 'utf8')
  const sources = new Map<string, Source>(Object.entries(JSON.parse(text)))
  // The tool's own file was the first to be loaded.
  const entry = sources.keys().next().value ?? real(file)
  const folders = new Set([dirname(file), real(dirname(file)), dirname(entry)])
  registerToolHooks({ folders: [...folders], sources })
  return (await import(pathToFileURL(entry).href)).default
}

function real(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return path
  }
}

function end(code: number): void {
  process.exit(code)
}
