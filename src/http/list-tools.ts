import type { Request, Response } from 'express'
import type { ToolEntry } from '../registry/registry.ts'
import type { Cell } from '../runtime/cell/cell.ts'
import { within } from '../within.ts'
import { asked, type HttpParts } from './parts.ts'
import { summarise } from './tool-view.ts'
import { isVisible } from './visible.ts'

/** `GET /v1/tools`: every tool the caller may see. */
export function listTools(parts: HttpParts) {
  return async (req: Request, res: Response): Promise<void> => {
    const { caller } = asked(req)
    const visible = parts.registry.list().filter((entry) => isVisible(parts, caller, entry))
    const tools = await Promise.all(
      visible.map(async (entry) => summarise(parts, entry, await cellSoon(parts, entry))),
    )
    res.json({ tools })
  }
}

/** Undefined where that takes too long: one engine that hangs does not keep the others back. */
async function cellSoon(parts: HttpParts, { declaration }: ToolEntry): Promise<Cell | undefined> {
  if (declaration === undefined) return undefined
  const resolving = parts.cell(declaration)
  // It may fail when nobody waits any more.
  resolving.catch(() => {})
  return (await within(resolving, PATIENCE)) ? resolving : undefined
}

/** Milliseconds. */
const PATIENCE = 500
