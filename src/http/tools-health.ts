import { existsSync } from 'node:fs'
import type { Catalogue } from '../catalogue/catalogue.ts'
import type { Registry } from '../registry/registry.ts'
import type { Component } from './health.ts'

/** Without its folder there is nothing to serve; a folder that comes later is served then. */
export function folderHealth(folder: string): Component {
  if (existsSync(folder)) return { status: 'up', needed: true }
  return { status: 'down', needed: true, detail: 'the tools folder does not exist' }
}

/** How many tools are in each state: of their file or, where that is good, of learning them. */
export function tally(registry: Registry, catalogue: Catalogue): Record<string, number> {
  const tools: Record<string, number> = {}
  for (const { state, declaration } of registry.list()) {
    const learnt = declaration === undefined ? undefined : catalogue.peek(declaration)?.state
    const shown = state === 'ready' && learnt !== undefined && learnt !== 'learned' ? learnt : state
    tools[shown] = (tools[shown] ?? 0) + 1
  }
  return tools
}
