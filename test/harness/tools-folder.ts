import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { MARK } from './fixtures.ts'

/**
 * A tool's file: its text, or a command and what else `defineTool` is given. Without a word about
 * it a command runs without a cell, so that the tests run where there are none; those of cells say
 * `policy: { sandbox: 'required' }`.
 */
export type ToolSource =
  | string
  | ({ readonly command: readonly string[] } & Readonly<Record<string, unknown>>)

export interface ToolsFolder {
  readonly dir: string
  /** Stands in the command lines of its tools. */
  readonly mark: string
  /** Writes or replaces the file of a tool, as an editor does: whole, by a rename. */
  write(name: string, source: ToolSource): void
  remove(name: string): void
}

/** A folder of tools; `mark` is put where an argument of a command says so. */
export function toolsFolder(dir: string, mark: string): ToolsFolder {
  const names = new Map<string, string>()
  const file = (name: string) => join(dir, names.get(name) ?? name)
  return {
    dir,
    mark,
    write(name, source) {
      const draft = join(dir, `.${name}.draft`)
      // Of what is plain JavaScript no child has to strip the types, which takes 0.1 s each. A name
      // keeps its file: what is written to it later has to be plain as well.
      const extension = typeof source === 'string' ? '.ts' : '.js'
      if (!name.includes('.') && !names.has(name)) names.set(name, `${name}${extension}`)
      writeFileSync(draft, text(source).replaceAll(MARK, mark))
      renameSync(draft, file(name))
    },
    remove: (name) => rmSync(file(name)),
  }
}

function text(source: ToolSource): string {
  if (typeof source === 'string') return source
  const { command, policy, ...rest } = source
  const given = { sandbox: 'none', ...(policy as object | undefined) }
  const options = Object.entries({ description: 'A tool under test.', ...rest, policy: given })
    .map(([key, value]) => `  ${key}: ${JSON.stringify(value)},\n`)
    .join('')
  const program = command.map((part) => JSON.stringify(part)).join(', ')
  return `import { command, defineTool } from 'toolgate'

export default defineTool({
${options}  runtime: command(${program}),
})
`
}
