import type { Request, Response } from 'express'
import { ToolgateError } from '../errors.ts'
import { asked, type HttpParts } from './parts.ts'
import { detail } from './tool-view.ts'

/** `GET /v1/tools/{tool}`: one tool with its functions, or with what is wrong with its file. */
export function showTool(parts: HttpParts) {
  return (req: Request, res: Response): void => {
    const entry = parts.registry.get(String(req.params.tool))
    if (entry === undefined) {
      throw new ToolgateError('unknown_tool', 'There is no such tool. See GET /v1/tools.')
    }
    if (entry.declaration !== undefined) parts.guard.see(asked(req).caller, entry.declaration)
    res.json(detail(parts, entry))
  }
}
