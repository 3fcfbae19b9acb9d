import type { JsonObject } from '../../protocol/message.ts'
import { META } from '../../protocol/meta.ts'
import { isObject } from '../../protocol/object.ts'
import { withoutTasks } from '../../protocol/tasks.ts'
import { isLegacyVersion, LATEST_LEGACY, MODERN_VERSIONS } from '../../protocol/versions.ts'
import { VERSION } from '../../version.ts'
import type { Directory, Shown } from './directory.ts'

/** What `initialize` is answered with. `wanted`: the version that the client asked for. */
export function initialized(directory: Directory, wanted: unknown): JsonObject {
  return {
    protocolVersion: agreed(wanted),
    capabilities: { ...withoutTasks(capabilities(directory)), ...legacyTasks(directory) },
    serverInfo: SERVER,
    instructions: instructions(directory),
  }
}

/** The version that is spoken with a client that asked for this one. */
export function agreed(wanted: unknown): string {
  return isLegacyVersion(wanted) ? wanted : LATEST_LEGACY
}

/** What `server/discover` is answered with. */
export function discovered(directory: Directory): JsonObject {
  return {
    resultType: 'complete',
    supportedVersions: MODERN_VERSIONS,
    capabilities: capabilities(directory),
    instructions: instructions(directory),
    ttlMs: 0,
    cacheScope: 'private',
    _meta: { [META.serverInfo]: SERVER },
  }
}

export const SERVER = { name: 'toolgate', version: VERSION }

/** Ours, with the extensions that any of the tools has. */
function capabilities(directory: Directory): JsonObject {
  return {
    tools: { listChanged: true },
    prompts: { listChanged: true },
    resources: { listChanged: true, subscribe: true },
    completions: {},
    logging: {},
    ...ofAny(directory, 'extensions'),
    ...ofAny(directory, 'experimental'),
  }
}

/** What two tools declare under one name is as the first says. */
function ofAny({ shown }: Directory, part: 'extensions' | 'experimental'): JsonObject {
  const all = Array.from(shown, ({ capabilities }) => capabilities[part])
  const declared = all.filter((each) => isObject(each) && canBeWritten(each))
  return declared.length === 0 ? {} : { [part]: Object.assign({}, ...declared.toReversed()) }
}

/** What is nested too deeply is left out, so that it hides no other. */
function canBeWritten(value: unknown): boolean {
  try {
    return JSON.stringify(value) !== undefined
  } catch {
    return false
  }
}

/** Until 2025-11-25 tasks were a capability of their own; to list those of all tools is not offered. */
function legacyTasks({ shown }: Directory): JsonObject {
  const any = [...shown].some((tool) => isObject(tool.capabilities.tasks))
  return any ? { tasks: { cancel: {}, requests: { tools: { call: {} } } } } : {}
}

function instructions({ shown }: Directory): string {
  const tools = [...shown]
  if (tools.length === 0) return 'There is no tool here that you may use.'
  const lines = tools.slice(0, MOST_TOOLS).map(line)
  const more = tools.length - lines.length
  if (more > 0) lines.push(`- and ${more} more`)
  return `${HOW}\n${lines.join('\n')}`
}

const HOW = `\
Many tools behind one door. A function or prompt is named tool__name, and a URI carries its tool's \
name as well. The tools:`

function line({ tool: { name, description } }: Shown): string {
  const [first = ''] = description.split('\n')
  return `- ${name}: ${first.length > LONGEST ? `${first.slice(0, LONGEST)}…` : first}`
}

const MOST_TOOLS = 50
const LONGEST = 160
