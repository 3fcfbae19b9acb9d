import { rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Aim } from '../load/orders.ts'
import { startGateway } from './gateway.ts'
import { type Server, startServer, urlOfListening } from './server.ts'

export type TargetName =
  | 'pipes'
  | 'express'
  | 'node-http'
  | 'toolgate'
  | 'supergateway'
  | 'mcp-proxy'

/** The tools that are measured, by the command that starts one. */
export const TOOLS = {
  bench: [process.execPath, path('../fixtures/tool.mjs')],
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

/** Scratch space of one run: compile caches, the gateway's folders. */
export interface Scratch {
  readonly folder: string
  /** Where the gateway's CPU profiles go; null: none are taken. */
  readonly profiles: string | null
  /** Synchronous, so that it also works on the way out. */
  remove(): void
}

export async function makeScratch(profiles: string | null): Promise<Scratch> {
  const folder = await mkdtemp(join(tmpdir(), 'toolgate-bench-'))
  return { folder, profiles, remove: () => rmSync(folder, { recursive: true, force: true }) }
}

/** The floors and the gateway, in the order in which they take turns. */
export function targetsOf(scratch: Scratch): readonly Target[] {
  return [
    {
      name: 'pipes',
      label: '(a) pipes',
      start: async (tool) => ({ aim: { kind: 'pipes', command: TOOLS[tool] }, server: null }),
    },
    {
      name: 'express',
      label: '(b) Express',
      start: (tool) => startFloor('express', tool, scratch),
    },
    {
      name: 'node-http',
      label: '(c) node:http',
      start: (tool) => startFloor('node-http', tool, scratch),
    },
    {
      name: 'toolgate',
      label: 'Toolgate',
      start: async (tool) => {
        const server = await startGateway(TOOLS, scratch)
        return { aim: { kind: 'http', url: `${server.url}/mcp/${tool}` }, server }
      },
    },
  ]
}

async function startFloor(name: string, tool: ToolName, scratch: Scratch): Promise<Started> {
  const cache = join(scratch.folder, 'floor-cache')
  const args = [path(`../floors/${name}.ts`), cache, ...TOOLS[tool]]
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
