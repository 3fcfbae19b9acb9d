import { readFileSync } from 'node:fs'
import { registerHooks, stripTypeScriptTypes } from 'node:module'
import { dirname, extname, join, relative, resolve, sep } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

/** The text of one module as it runs: types stripped, every line where it was. */
export interface Source {
  readonly format: 'module' | 'json'
  readonly text: string
}

export interface ToolHooks {
  /** Folders whose `.js` and `.ts` files are ES modules, whatever package.json lies above. */
  readonly folders: readonly string[]
  /** Texts to run in place of the files, by real path. */
  readonly sources?: ReadonlyMap<string, Source>
  /** Called with each file that is read: not those of packages, nor the gateway's own. */
  loaded?(path: string, bytes: Buffer): void
  /** Called with what `loaded` has become. */
  ready?(path: string, source: Source): void
  /** An import that leads nowhere; `path`: the file it would have been. */
  missing?(specifier: string, parent: string | undefined, path: string | undefined): void
}

/** Makes `toolgate` and `zod` the gateway's own in a tool's modules, and the tool's files ES modules. */
export function registerToolHooks(hooks: ToolHooks): void {
  registerHooks({
    resolve: (specifier, context, next) => {
      const { parentURL } = context
      if (fromTool(parentURL, hooks.folders)) {
        if (specifier === 'toolgate') return { url: TOOLGATE, shortCircuit: true }
        if (specifier === 'zod' || specifier.startsWith('zod/')) {
          return next(specifier, { ...context, parentURL: import.meta.url })
        }
      }
      try {
        return next(specifier, context)
      } catch (error) {
        const parent = pathOf(parentURL)
        const path = pathOf(specifier) ?? neighbour(specifier, parent)
        // The file may be gone while its stored text still runs.
        if (path !== undefined && hooks.sources?.has(path)) {
          return { url: pathToFileURL(path).href, shortCircuit: true }
        }
        hooks.missing?.(specifier, parent, path)
        throw error
      }
    },
    load: (url, context, next) => {
      const path = pathOf(url)
      if (path === undefined || !fromTool(url, hooks.folders)) return next(url, context)
      const stored = hooks.sources?.get(path)
      if (stored !== undefined) {
        return { format: stored.format, source: stored.text, shortCircuit: true }
      }
      const bytes = readFileSync(path)
      hooks.loaded?.(path, bytes)
      const source = readSource(path, url, bytes, hooks.folders)
      if (source === undefined) return next(url, context)
      hooks.ready?.(path, source)
      return { format: source.format, source: source.text, shortCircuit: true }
    },
  })
}

const GATEWAY = dirname(import.meta.dirname)
const TOOLGATE = pathToFileURL(join(GATEWAY, `index${extname(import.meta.filename)}`)).href

function pathOf(url: string | undefined): string | undefined {
  return url?.startsWith('file:') ? fileURLToPath(url) : undefined
}

function neighbour(specifier: string, parent: string | undefined): string | undefined {
  if (parent === undefined || !/^\.{0,2}\//.test(specifier)) return undefined
  return resolve(dirname(parent), specifier)
}

/** Is this one of the tool's own modules: neither the gateway's nor a package's? */
function fromTool(url: string | undefined, folders: readonly string[]): boolean {
  const path = pathOf(url)
  if (path === undefined || path.startsWith(GATEWAY + sep)) return false
  const folder = folders.find((one) => path.startsWith(one + sep))
  const inside = folder === undefined ? path : relative(folder, path)
  return !inside.split(sep).includes('node_modules')
}

/** Node itself refuses types below a node_modules folder, and goes by the nearest package.json. */
function readSource(
  path: string,
  url: string,
  bytes: Buffer,
  folders: readonly string[],
): Source | undefined {
  const text = () => bytes.toString('utf8').replace(/^\uFEFF/, '')
  switch (extname(path)) {
    case '.ts':
    case '.mts':
      return {
        format: 'module',
        text: stripTypeScriptTypes(text(), { mode: 'strip', sourceUrl: url }),
      }
    case '.js':
      return folders.some((one) => path.startsWith(one + sep))
        ? { format: 'module', text: text() }
        : undefined
    case '.mjs':
      return { format: 'module', text: text() }
    case '.json':
      return { format: 'json', text: text() }
    default:
      return undefined
  }
}
