import { createHash, hash, randomUUID } from 'node:crypto'
import {
  mkdir,
  readdir,
  readFile,
  realpath,
  rename,
  rm,
  stat,
  utimes,
  writeFile,
} from 'node:fs/promises'
import { dirname, extname, join } from 'node:path'
import type { Logger } from '../telemetry/log.ts'
import type { Declaration } from '../tool/declaration.ts'
import { checkDeclaration } from '../tool/read-declaration.ts'
import { type Contents, unchanged, versionOf } from './content.ts'
import type { Result } from './describe-child.ts'

/** A tool's declaration with the files it was made from. */
export interface Described {
  readonly declaration: Declaration
  readonly contents: Contents
}

/** Described tools on disk, so that a start needs no child. Whatever is wrong with it is a miss. */
export interface DescriptionCache {
  /** The stored description, where every file still holds what it held. */
  find(name: string, file: string): Promise<Described | undefined>
  /** Checks what a child found out, and stores it. Throws a TypeError where it is no declaration. */
  keep(name: string, file: string, result: Result): Promise<Described>
}

/** `folder`: absolute path of the tools folder; its tools' descriptions are its own. */
export async function openDescriptionCache(
  cache: string,
  folder: string,
  log: Logger,
): Promise<DescriptionCache> {
  const gateway = await fingerprint()
  const place = hash('sha256', folder).slice(0, 8)
  const texts = join(cache, 'sources')
  const pathOf = (name: string) => join(cache, 'declarations', `${name}-${place}.json`)

  return {
    async find(name, file) {
      try {
        const stored = JSON.parse(await readFile(pathOf(name), 'utf8'))
        const real = await realpath(file)
        if (stored.gateway !== gateway || stored.file !== file || stored.real !== real) return
        const contents = contentsOf(stored.files)
        if (!(await unchanged(contents))) return undefined
        const described = describedOf({ name, file, real, contents, texts }, stored.declaration)
        await touchSources(described.declaration)
        return described
      } catch {
        return undefined
      }
    },
    async keep(name, file, { files, declaration, sources }) {
      const real = await realpath(file)
      const contents = contentsOf(files)
      const described = describedOf({ name, file, real, contents, texts }, declaration)
      try {
        await keepSources(described.declaration, sources)
        await write(pathOf(name), { gateway, file, real, files, declaration })
      } catch (error) {
        log.warn({ tool: name, err: error }, 'a description could not be stored')
        return { declaration: withoutSources(described.declaration), contents }
      }
      return described
    },
  }
}

interface Origin {
  readonly name: string
  readonly file: string
  /** The file that a link in the tools folder leads to. */
  readonly real: string
  readonly contents: Contents
  /** Folder of the stored texts. */
  readonly texts: string
}

function describedOf({ name, file, real, contents, texts }: Origin, body: unknown): Described {
  const version = versionOf(dirname(real), contents)
  const declaration = checkDeclaration({ ...(body as object), name, version, file })
  const { runtime } = declaration
  if (runtime.kind !== 'inline') return { declaration, contents }
  const sources = join(texts, `${name}-${version}.json`)
  return { declaration: { ...declaration, runtime: { ...runtime, sources } }, contents }
}

function contentsOf(files: Result['files']): Contents {
  return new Map(files.map(({ path, hash }) => [path, hash]))
}

/** What a description depends on besides the tool's files: this gateway, its zod, this Node. */
async function fingerprint(): Promise<string> {
  const digest = createHash('sha256').update(process.version)
  const rooms = [join(dirname(import.meta.dirname), 'tool'), import.meta.dirname]
  for (const room of rooms) {
    for (const file of (await readdir(room)).sort()) {
      if (extname(file) === extname(import.meta.filename)) {
        digest.update(await readFile(join(room, file)))
      }
    }
  }
  const zod = new URL(import.meta.resolve('zod/package.json'))
  return digest.update(await readFile(zod)).digest('hex')
}

async function keepSources({ name, runtime }: Declaration, sources: Result['sources'] = {}) {
  if (runtime.kind !== 'inline' || runtime.sources === undefined) return
  // Whoever the tool runs as has to read them.
  await write(runtime.sources, sources, 0o644)
  await prune(dirname(runtime.sources), name)
}

/** Where nothing can be stored, an inline tool runs from its file. */
function withoutSources(declaration: Declaration): Declaration {
  const { runtime } = declaration
  if (runtime.kind !== 'inline') return declaration
  return { ...declaration, runtime: { kind: 'inline', functions: runtime.functions } }
}

/** The texts are kept as long as they are in use; throws where they are gone. */
async function touchSources({ runtime }: Declaration): Promise<void> {
  if (runtime.kind !== 'inline' || runtime.sources === undefined) return
  await stat(runtime.sources)
  const now = new Date()
  await utimes(runtime.sources, now, now).catch(() => {})
}

/** Most versions of one tool whose texts are kept, for sessions that began with an older one. */
const VERSIONS = 8

async function prune(texts: string, name: string): Promise<void> {
  const version = new RegExp(`^${name}-[0-9a-f]{16}\\.json$`)
  const found = (await readdir(texts)).filter((file) => version.test(file))
  if (found.length <= VERSIONS) return
  const aged = await Promise.all(
    found.map(async (file) => ({ file, at: (await stat(join(texts, file))).mtimeMs })),
  )
  for (const { file } of aged.sort((a, b) => b.at - a.at).slice(VERSIONS)) {
    await rm(join(texts, file), { force: true })
  }
}

async function write(path: string, value: unknown, mode = 0o600): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  const draft = `${path}.${randomUUID()}`
  try {
    await writeFile(draft, JSON.stringify(value), { mode })
    await rename(draft, path)
  } catch (error) {
    await rm(draft, { force: true })
    throw error
  }
}
