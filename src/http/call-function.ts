import type { Request, Response } from 'express'
import type { Entrance } from '../call/call.ts'
import { check } from '../contract/check.ts'
import type { FieldError } from '../contract/expected.ts'
import { inputOf } from '../contract/over-rest.ts'
import { ToolgateError } from '../errors.ts'
import type { Declaration, FunctionDeclaration, JsonSchema } from '../tool/declaration.ts'
import { exactBody } from './body.ts'
import { findFunction, findTool } from './find-tool.ts'
import { asked, type HttpParts } from './parts.ts'
import { answerTurn, setToolHeaders } from './turn.ts'

/** `POST /v1/tools/{tool}/{function}`. */
export function callFunction(parts: HttpParts) {
  return async (req: Request, res: Response): Promise<void> => {
    const { tool, function: name } = req.params as { tool: string; function: string }
    await answerCall(parts, req, res, {
      tool: await findTool(parts, asked(req).caller, tool),
      function: name,
      input: req.body,
      at: '/body',
      exact: exactBody(req),
      entrance: 'rest',
    })
  }
}

/** One call over REST, of a tool that the caller may see. */
export interface RestCall {
  readonly tool: Declaration
  readonly function: string
  readonly input: unknown
  /** JSON pointer to the input in the request. */
  readonly at: '/body' | '/body/arguments'
  /** The same with every number as it was written; this is what the tool gets. */
  readonly exact: unknown
  readonly entrance: Entrance
}

/** Checks, calls and answers, whole or as events. Throws what is answered as a problem. */
export async function answerCall(
  parts: HttpParts,
  req: Request,
  res: Response,
  call: RestCall,
): Promise<void> {
  const { tool, exact, entrance } = call
  setToolHeaders(parts, res, tool)
  const declared = await findFunction(parts, tool, call.function)
  refuseWrongInput(declared, call)
  const called = { tool, declared, entrance, input: exact }
  await answerTurn(parts, req, res, called, (link, visit) => parts.parked.begin(link, visit))
}

/** A schema that does not compile refuses nothing here: the tool is the judge then. */
function refuseWrongInput(declared: FunctionDeclaration, { tool, input, at }: RestCall): void {
  const errors = wrongInput(inputOf(tool, declared), input).map((error) => ({
    ...error,
    path: `${at}${error.path.slice('/body'.length)}`,
  }))
  if (errors.length === 0) return
  const message = `${errors.map((error) => `${error.path} ${error.message}`).join('; ')}.`
  throw new ToolgateError('invalid_params', message, { data: { errors } })
}

function wrongInput(schema: JsonSchema, input: unknown): readonly FieldError[] {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    return [{ path: '/body', message: 'must be object', expected: 'object' }]
  }
  const checked = check(schema)
  return checked.ok ? checked.validate(input) : []
}
