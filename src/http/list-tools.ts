import type { Request, Response } from 'express'
import { asked, type HttpParts } from './parts.ts'
import { summarise } from './tool-view.ts'
import { isVisible } from './visible.ts'

/** `GET /v1/tools`: every tool the caller may see. */
export function listTools(parts: HttpParts) {
  return async (req: Request, res: Response): Promise<void> => {
    const { caller } = asked(req)
    const visible = parts.registry.list().filter((entry) => isVisible(parts, caller, entry))
    const tools = await Promise.all(visible.map((entry) => summarise(parts, entry)))
    res.json({ tools })
  }
}
