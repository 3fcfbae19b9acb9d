import type { RequestHandler } from 'express'
import { middleware } from 'express-openapi-validator'
import { staticDocument } from '../contract/operations.ts'

type Specification = Extract<Parameters<typeof middleware>[0]['apiSpec'], object>

/**
 * Checks requests against the static operations. What a function takes is checked where it is
 * called, by its own schema: see docs/decisions/rest-validation.md.
 */
export function validateRequests(): RequestHandler[] {
  // The validator changes the document it is given.
  const apiSpec = structuredClone(staticDocument()) as unknown as Specification
  return middleware({
    apiSpec,
    validateApiSpec: false,
    validateRequests: { allowUnknownQueryParameters: true },
    validateResponses: false,
    validateSecurity: false,
    validateFormats: false,
    fileUploader: false,
  }) as RequestHandler[]
}
