import { LATEST_LEGACY } from '../protocol/versions.ts'
import type { Declaration, FunctionDeclaration } from '../tool/declaration.ts'
import type { Learned } from './catalogue.ts'

/** What the child of an inline tool says of itself, known without starting it. */
export function inlineLearned(
  { name, version, title, description }: Declaration,
  functions: readonly FunctionDeclaration[],
): Learned {
  const serverInfo = { name, version, ...(title === undefined ? {} : { title }) }
  const capabilities = { tools: {}, logging: {} }
  return {
    era: 'legacy',
    dual: false,
    initialize: {
      protocolVersion: LATEST_LEGACY,
      capabilities,
      serverInfo,
      instructions: description,
    },
    functions,
    prompts: [],
    resources: [],
    templates: [],
  }
}
