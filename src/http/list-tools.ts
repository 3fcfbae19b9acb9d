import type { Request, Response } from 'express'
import { isVisible } from './find-tool.ts'
import { asked, type HttpParts } from './parts.ts'
import { summarise } from './tool-view.ts'

/** `GET /v1/tools`: every tool the caller may see. */
export function listTools(parts: HttpParts) {
  return (req: Request, res: Response): void => {
    const { caller } = asked(req)
    const visible = parts.registry.list().filter((entry) => isVisible(parts, caller, entry))
    res.json({ tools: visible.map((entry) => summarise(parts, entry)) })
  }
}
