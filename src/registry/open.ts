import { basename, dirname, join, resolve, sep } from 'node:path'
import type { Logger } from '../telemetry/log.ts'
import { describeFile } from './describe.ts'
import { type DescriptionCache, openDescriptionCache } from './description-cache.ts'
import { type Launch, launchBare } from './launch.ts'
import type { Registry, ToolEntry } from './registry.ts'
import { isToolFile, scanFolder } from './scan.ts'
import { Slots } from './slots.ts'
import { ToolFile, type ToolFileRoom } from './tool-file.ts'
import { watchFolders } from './watch.ts'

export interface RegistryOptions {
  /** Absolute path of the tools folder; it need not be there yet. */
  readonly folder: string
  /** Absolute path of what may be lost. */
  readonly cache: string
  readonly log: Logger
  /** Reads this one tool, whose mistakes are not logged but for its reader to tell. Absent: all. */
  readonly only?: string | undefined
  /** Follows changes; default true. */
  readonly watch?: boolean
  /** Milliseconds for the reading of one file; default 10 s. */
  readonly describeTimeout?: number
  /** Starts the processes that read the files; default: confined by nothing. */
  readonly launch?: Launch
}

/** Resolves once the names of the tools are known; `settled` waits for their descriptions. */
export async function openRegistry(options: RegistryOptions): Promise<Registry> {
  const { cache, log, describeTimeout = 10_000, launch = launchBare } = options
  const folder = resolve(options.folder)
  const tools = new Map<string, ToolFile>()
  const vanished = new Set<string>()
  const listeners: ((name: string, entry: ToolEntry | undefined) => void)[] = []
  const slots = new Slots(2, 6)
  const watch = options.watch === false ? undefined : watchFolders(log, onEvent)
  const timing = { timer: undefined as NodeJS.Timeout | undefined, since: 0 }
  let descriptions: Promise<DescriptionCache> | undefined
  let scanning: Promise<void> | undefined
  let again = false
  let closed = false
  let absent = false

  const room: ToolFileRoom = {
    find: async (name, file) => (await stored()).find(name, file),
    keep: async (name, file, result) => (await stored()).keep(name, file, result),
    describe: (file, signal, loaded) =>
      slots.run(() =>
        describeFile({
          file,
          signal,
          loaded,
          launch,
          timeout: describeTimeout,
          compiled: join(cache, 'compiled'),
        }),
      ),
    changed(entry) {
      report(entry)
      tell(entry.name, entry)
      // The files it loads may lie in folders that are not watched yet.
      request()
    },
  }

  await scan()
  return {
    list: () => [...tools.values()].map((tool) => tool.entry).sort(byName),
    get: (name) => tools.get(name)?.entry,
    onChange: (listener) => void listeners.push(listener),
    settled: Promise.all([...tools.values()].map((tool) => tool.answered)).then(() => {}),
    async close() {
      closed = true
      clearTimeout(timing.timer)
      watch?.close()
      await scanning
      await Promise.all([...tools.values()].map((tool) => tool.end()))
    },
  }

  function stored(): Promise<DescriptionCache> {
    descriptions ??= openDescriptionCache(cache, folder, log)
    return descriptions
  }

  function onEvent(path: string | undefined): void {
    if (path === undefined || concerns(path)) request()
  }

  /** A tool, a file or folder that a tool was made from, or the folder itself. */
  function concerns(path: string): boolean {
    const base = basename(path)
    if (path === folder || base === basename(dirname(path))) return true
    if (dirname(path) === folder && (isToolFile(base) || base.startsWith('..'))) return true
    for (const tool of tools.values()) {
      for (const file of tool.files) {
        if (file === path || file.startsWith(path + sep)) return true
      }
    }
    return false
  }

  /** Scans soon: a save comes as several events, and its last one counts. */
  function request(wait = QUIET): void {
    if (closed || watch === undefined) return
    if (timing.timer === undefined) timing.since = performance.now()
    const left = LONGEST - (performance.now() - timing.since)
    clearTimeout(timing.timer)
    timing.timer = setTimeout(
      () => {
        timing.timer = undefined
        scan().catch((error: unknown) => log.error({ err: error }, 'the tools folder was not read'))
      },
      Math.max(0, Math.min(wait, left)),
    )
  }

  /** One scan at a time; what happens meanwhile is seen by the next. */
  function scan(): Promise<void> {
    again = scanning !== undefined
    scanning ??= (async () => {
      try {
        do {
          again = false
          await scanOnce()
        } while (again && !closed)
      } finally {
        scanning = undefined
      }
    })()
    return scanning
  }

  async function scanOnce(): Promise<void> {
    await watch?.want(foldersOf(folder, tools.values()))
    const found = await scanFolder(folder, options.only)
    if (closed) return watch?.close()
    if (found === undefined && !absent) log.warn({ folder }, 'the tools folder is not there')
    absent = found === undefined
    for (const name of tools.keys()) if (!found?.has(name)) await vanish(name)
    await Promise.all(
      [...(found ?? [])].map(([name, candidate]) => {
        vanished.delete(name)
        const tool = tools.get(name) ?? new ToolFile(candidate, room)
        tools.set(name, tool)
        return tool.look(candidate)
      }),
    )
  }

  /** An editor's save may take a file away for a moment: it has to be missing twice. */
  async function vanish(name: string): Promise<void> {
    if (!vanished.delete(name)) {
      vanished.add(name)
      return request(GONE)
    }
    const tool = tools.get(name)
    tools.delete(name)
    await tool?.end()
    log.info({ tool: name }, 'tool removed')
    tell(name, undefined)
  }

  function tell(name: string, entry: ToolEntry | undefined): void {
    for (const listener of listeners) {
      try {
        listener(name, entry)
      } catch (error) {
        log.error({ tool: name, err: error }, 'a change of a tool was not taken up')
      }
    }
  }

  function report({ name, errors = [], declaration }: ToolEntry): void {
    if (options.only !== undefined) return
    if (errors.length === 0) log.info({ tool: name, version: declaration?.version }, 'tool read')
    for (const { message, ...place } of errors) {
      log.error({ tool: name, ...place, kept: declaration?.version }, `broken tool: ${message}`)
    }
  }
}

/** Milliseconds without an event before a scan, the most it is put off, and for a missing file. */
const QUIET = 60
const LONGEST = 300
const GONE = 100

/** The folder, the one it lies in (it may come, go or be a link), and those of every loaded file. */
function foldersOf(folder: string, tools: Iterable<ToolFile>): Set<string> {
  const folders = new Set([dirname(folder), folder])
  for (const tool of tools) for (const file of tool.files) folders.add(dirname(file))
  return folders
}

function byName(a: ToolEntry, b: ToolEntry): number {
  return a.name < b.name ? -1 : 1
}
