import { isObject } from './object.ts'

/**
 * Capabilities without the modern tasks: the two eras have different ones, so neither side of a
 * call between them may offer its own.
 */
export function withoutTasks(
  capabilities: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const { tasks: _legacy, extensions, ...others } = capabilities
  if (!isObject(extensions)) return others
  const { [TASKS]: _modern, ...kept } = extensions
  return { ...others, extensions: kept }
}

/** The extension of 2026-07-28. */
export const TASKS = 'io.modelcontextprotocol/tasks'
