import { setImmediate as breathe } from 'node:timers/promises'
import type { Caller } from '../call/caller.ts'
import { check } from '../contract/check.ts'
import { asYaml } from '../contract/file.ts'
import { liveDocument, type ToolFunctions } from '../contract/live.ts'
import type { OpenApiDocument } from '../contract/operations.ts'
import { overRest } from '../contract/over-rest.ts'
import type { HttpParts } from './parts.ts'
import { isVisible } from './visible.ts'

export type Form = 'json' | 'yaml'

/** Most texts kept; callers who see the same tools share one. */
const MOST_TEXTS = 8
/** Milliseconds without a change before schemas are compiled ahead of their first use. */
const QUIET = 100

/** The OpenAPI document as it is now, for who asks. */
export class LiveContract {
  readonly #parts: HttpParts
  readonly #texts = new Map<string, string>()
  #timer: NodeJS.Timeout | undefined
  #warming: Promise<void> | undefined

  constructor(parts: HttpParts) {
    this.#parts = parts
    parts.registry.onChange(() => this.#changed())
    parts.catalogue.onChange(() => this.#changed())
    this.#changed()
  }

  /** The document with the functions of every tool the caller may see. */
  text(caller: Caller, form: Form): string {
    const { tools, learning, key } = this.#visible(caller)
    const kept = this.#texts.get(form + key)
    if (kept !== undefined) return kept
    const text = write(withLearning(liveDocument(tools), learning), form)
    const [oldest] = this.#texts.keys()
    if (this.#texts.size >= MOST_TEXTS && oldest !== undefined) this.#texts.delete(oldest)
    this.#texts.set(form + key, text)
    return text
  }

  #visible(caller: Caller) {
    const tools: ToolFunctions[] = []
    const learning: string[] = []
    let key = ''
    for (const entry of this.#parts.registry.list()) {
      const { declaration } = entry
      if (declaration === undefined || !isVisible(this.#parts, caller, entry)) continue
      const now = this.#parts.catalogue.look(declaration)
      key += `\n${entry.name} ${declaration.version} ${now.state}`
      if (now.state === 'learning') learning.push(entry.name)
      if (now.state !== 'learned') continue
      const { name, title, description } = declaration
      const { era } = now.learned
      const functions = now.learned.functions.map((each) => overRest(declaration, each, era))
      tools.push({ name, description, functions, ...(title !== undefined && { title }) })
    }
    return { tools, learning, key }
  }

  #changed(): void {
    this.#texts.clear()
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#warm(), QUIET).unref()
  }

  /** One at a time; the old schemas serve until then, and one function never holds up a request. */
  #warm(): void {
    if (this.#warming !== undefined) {
      this.#timer = setTimeout(() => this.#warm(), QUIET).unref()
      return
    }
    this.#warming = this.#compileAll().finally(() => {
      this.#warming = undefined
    })
  }

  async #compileAll(): Promise<void> {
    for (const { declaration } of this.#parts.registry.list()) {
      if (declaration === undefined) continue
      const now = this.#parts.catalogue.look(declaration)
      if (now.state !== 'learned') continue
      for (const each of now.learned.functions) {
        const { inputSchema, outputSchema } = overRest(declaration, each, now.learned.era)
        check(inputSchema)
        if (outputSchema !== undefined) check(outputSchema)
        await breathe()
      }
    }
  }
}

/** Says which tools are still missing, so that nobody takes a part for the whole. */
function withLearning(document: OpenApiDocument, learning: readonly string[]): OpenApiDocument {
  if (learning.length === 0) return document
  return { ...document, info: { ...document.info, 'x-toolgate-learning': learning } }
}

function write(document: OpenApiDocument, form: Form): string {
  return form === 'json' ? JSON.stringify(document) : asYaml(document)
}
