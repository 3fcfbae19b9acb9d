import { mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { TestContext } from 'node:test'
import { openRegistry } from '../../src/registry/open.ts'
import type { Registry, ToolEntry } from '../../src/registry/registry.ts'
import type { Logger } from '../../src/telemetry/log.ts'
import { within } from '../harness/until.ts'

export interface Watched extends Registry {
  /** The first entry of a change, from now on, that is as wanted. */
  next(
    name: string,
    wanted: (entry: ToolEntry | undefined) => boolean,
  ): Promise<ToolEntry | undefined>
  /** Every change so far, as `name:state`. */
  readonly changes: readonly string[]
}

/** A temporary place for tools; its folder is `tools`. */
export function place(t: TestContext) {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'registry-')))
  t.after(() => rmSync(root, { recursive: true, force: true, maxRetries: 3 }))
  const folder = join(root, 'tools')
  mkdirSync(folder)
  return {
    root,
    folder,
    cache: join(root, 'cache'),
    /** Writes a file as an editor does: whole, by a rename. */
    write(path: string, text: string): string {
      const file = join(folder, path)
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(`${file}.draft`, text)
      renameSync(`${file}.draft`, file)
      return file
    },
    remove: (path: string) => rmSync(join(folder, path), { recursive: true }),
    open: (options: Partial<Parameters<typeof openRegistry>[0]> = {}) =>
      open(t, { folder, cache: join(root, 'cache'), log: silent, ...options }),
  }
}

async function open(t: TestContext, options: Parameters<typeof openRegistry>[0]): Promise<Watched> {
  const registry = await openRegistry(options)
  t.after(() => registry.close())
  const changes: string[] = []
  registry.onChange((name, entry) => changes.push(`${name}:${entry?.state ?? 'gone'}`))
  return {
    ...registry,
    changes,
    next(name, wanted) {
      const { promise, resolve } = Promise.withResolvers<ToolEntry | undefined>()
      registry.onChange((changed, entry) => {
        if (changed === name && wanted(entry)) resolve(entry)
      })
      return within(20_000, `a change of ${name}`, promise)
    },
  }
}

export const silent: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silent,
}

/** A tool's text with this description, and what else is wanted at its top. */
export function commandTool(description: string, top = ''): string {
  return `import { command, defineTool } from 'toolgate'
${top}
export default defineTool({ description: ${JSON.stringify(description)}, runtime: command('cat') })
`
}
