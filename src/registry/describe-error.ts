import { describeMistake } from '../config/mistake.ts'
import type { FileError } from './registry.ts'

/** One line: `file:line:column path: message; expected …`. */
export function describeError({ file, line, column, path, message, expected }: FileError): string {
  const place = { source: file, ...(line && { line }), ...(column && { column }) }
  return describeMistake({ place, path: path ?? '', message, ...(expected && { expected }) })
}
