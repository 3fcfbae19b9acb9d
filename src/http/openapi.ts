import type { Request, Response } from 'express'
import type { Form, LiveContract } from './live-contract.ts'
import { asked } from './parts.ts'

/** `GET /openapi.json` and `GET /openapi.yaml`. */
export function openapi(contract: LiveContract, form: Form) {
  return (req: Request, res: Response): void => {
    res.setHeader('Content-Type', form === 'json' ? 'application/json' : 'application/yaml')
    res.send(Buffer.from(contract.text(asked(req).caller, form)))
  }
}
