import type { z } from 'zod'
import type { FunctionOptions, InlineFunctions, RuntimeOptions, ToolOptions } from './options.ts'

export type * from './options.ts'

/** Declares the tool of this file; gives back what it was given. */
export function defineTool<R extends RuntimeOptions>(options: ToolOptions<R>): ToolOptions<R> {
  return options
}

/** A program of this machine. `{workspace}` in an argument stands for the tool's own folder. */
export function command<const A extends readonly string[]>(program: string, ...args: A) {
  return { kind: 'command', program, args } as const
}

/** A package of the npm registry with an exact version, such as `name@1.2.3`, and its arguments. */
export function npm<const A extends readonly string[]>(spec: string, ...args: A) {
  const at = String(spec).lastIndexOf('@')
  const named = at > 0 ? at : String(spec).length
  const version = String(spec).slice(named + 1)
  return { kind: 'npm', package: String(spec).slice(0, named), version, args } as const
}

/** A container image and the arguments of its entry point. Pin it by digest in production. */
export function container<const A extends readonly string[]>(image: string, ...args: A) {
  return { kind: 'container', image, args } as const
}

/** Functions written in this file, by name. */
export function inline<const F extends InlineFunctions>(functions: F) {
  return { kind: 'inline', functions } as const
}

/** One function: `run` gets what `input` describes and answers with what `output` describes. */
export function fn<I extends z.ZodObject, O extends z.ZodType = z.ZodType<unknown>>(
  options: FunctionOptions<I, O>,
): FunctionOptions<I, O> {
  return options
}
