import { rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Aim } from '../load/orders.ts'
import { startGateway } from './gateway.ts'
import { profilingOf, type Server, startServer, urlOfListening } from './server.ts'

export type TargetName =
  | 'pipes'
  | 'express'
  | 'node-http'
  | 'toolgate'
  | 'modern'
  | 'crossed'
  | 'other'
  | 'supergateway'
  | 'mcp-proxy'

/** The gateway's entry file, and what is installed beside it. */
export const MAIN = path('../../src/main.js')
export const MODULES = path('../../node_modules')

/** The tools that are measured, by the command that starts one. */
export const TOOLS = {
  bench: [process.execPath, path('../fixtures/tool.mjs')],
  shared: [process.execPath, path('../fixtures/tool.mjs')],
  modern: [process.execPath, path('../fixtures/tool.mjs'), 'modern'],
  everything: [process.execPath, everything(), 'stdio'],
} as const satisfies Record<string, readonly string[]>

export type ToolName = keyof typeof TOOLS

/** Something that carries calls to a tool, and how to start it afresh. */
export interface Target {
  readonly name: TargetName
  readonly label: string
  /** Null: there is no server between the client and the pipes. */
  start(tool: ToolName): Promise<Started>
}

export interface Started {
  readonly aim: Aim
  readonly server: Server | null
}

/** What one run is made with. */
export interface Setting {
  /** Scratch space: compile caches, the gateway's folders, installed peers. */
  readonly folder: string
  /** Where CPU profiles of the servers go; null: none are taken. */
  readonly profiles: string | null
  /** Synchronous, so that it also works on the way out. */
  remove(): void
}

export async function makeSetting(profiles: string | null): Promise<Setting> {
  const folder = await mkdtemp(join(tmpdir(), 'toolgate-bench-'))
  return { folder, profiles, remove: () => rmSync(folder, { recursive: true, force: true }) }
}

/** The floors and the gateway, in the order in which they take turns. */
export function targetsOf(setting: Setting): readonly Target[] {
  return [
    {
      name: 'pipes',
      label: '(a) pipes',
      start: async (tool) => ({ aim: { kind: 'pipes', command: TOOLS[tool] }, server: null }),
    },
    {
      name: 'express',
      label: '(b) Express',
      start: (tool) => startFloor('express', tool, setting),
    },
    {
      name: 'node-http',
      label: '(c) node:http',
      start: (tool) => startFloor('node-http', tool, setting),
    },
    gateway('toolgate', 'Toolgate', MAIN, setting),
  ]
}

/** The gateway for clients of the modern era, over one process for all: a modern and a legacy one. */
export function modernTargetsOf(setting: Setting): readonly Target[] {
  const start = (tool: ToolName) => async (): Promise<Started> => {
    const { server } = await gateway('toolgate', 'Toolgate', MAIN, setting).start(tool)
    return { aim: { kind: 'modern', url: `${server?.url}/mcp/${tool}` }, server }
  }
  return [
    { name: 'modern', label: 'Toolgate, modern client, modern tool', start: start('modern') },
    { name: 'crossed', label: 'Toolgate, modern client, legacy tool', start: start('shared') },
  ]
}

/** Another checkout's gateway, by its `src/main.js`, to be measured beside this one. */
export function otherGateway(main: string, setting: Setting): Target {
  return gateway('other', main, resolve(main), setting)
}

function gateway(name: TargetName, label: string, main: string, setting: Setting): Target {
  return {
    name,
    label,
    start: async (tool) => {
      const profiling = profilingOf(setting.profiles, name)
      const entry = [...profiling, main]
      const server = await startGateway(entry, join(setting.folder, name), TOOLS)
      return { aim: { kind: 'http', url: `${server.url}/mcp/${tool}` }, server }
    },
  }
}

async function startFloor(name: string, tool: ToolName, setting: Setting): Promise<Started> {
  const cache = join(setting.folder, 'floor-cache')
  const profiling = profilingOf(setting.profiles, name)
  const args = [...profiling, path(`../floors/${name}.ts`), cache, ...TOOLS[tool]]
  const server = await startServer(args, urlOfListening)
  return { aim: { kind: 'http', url: `${server.url}/mcp` }, server }
}

function path(file: string): string {
  return fileURLToPath(new URL(file, import.meta.url))
}

function everything(): string {
  const manifest = createRequire(import.meta.url).resolve(
    '@modelcontextprotocol/server-everything/package.json',
  )
  return join(manifest, '..', 'dist', 'index.js')
}
