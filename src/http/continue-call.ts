import type { Request, Response } from 'express'
import { ToolgateError } from '../errors.ts'
import { exactBody } from './body.ts'
import { openContinuation } from './continuation.ts'
import { findFunction, findTool } from './find-tool.ts'
import { asked, type HttpParts } from './parts.ts'
import { answerTurn, setToolHeaders } from './turn.ts'

/** `POST /v1/continuations`: goes on with a call that asked for input, and answers as it would. */
export function continueCall(parts: HttpParts) {
  return async (req: Request, res: Response): Promise<void> => {
    const { caller } = asked(req)
    const { continuation } = req.body
    const { inputResponses } = exactBody(req) as { inputResponses: unknown }
    const waiting = openContinuation(parts.seal, caller, continuation)
    const tool = await findTool(parts, caller, waiting.tool)
    if (tool.version !== waiting.version) {
      const message = `"continuation" is of another version of the tool "${tool.name}". Call again.`
      throw new ToolgateError('invalid_params', message)
    }
    setToolHeaders(parts, res, tool)
    const declared = await findFunction(parts, tool, waiting.function)
    await answerTurn(parts, req, res, { tool, declared, entrance: 'rest' }, (link, visit) =>
      parts.parked.resume(waiting.state, link, visit, inputResponses),
    )
  }
}
