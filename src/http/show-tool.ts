import type { Request, Response } from 'express'
import { entryOf } from './find-tool.ts'
import { asked, type HttpParts } from './parts.ts'
import { detail } from './tool-view.ts'

/** `GET /v1/tools/{tool}`: one tool with its functions, or with what is wrong with its file. */
export function showTool(parts: HttpParts) {
  return async (req: Request, res: Response): Promise<void> => {
    const { caller } = asked(req)
    const entry = entryOf(parts, caller, String(req.params.tool))
    if (entry.declaration !== undefined) parts.guard.see(caller, entry.declaration)
    res.json(await detail(parts, entry))
  }
}
