import { readNow } from '../proc.ts'

/** A whole file of the kernel's accounts, now; empty where it is not there any more. */
export function readAccount(path: string): string {
  try {
    return readNow(path)
  } catch {
    return ''
  }
}

/** Of lines such as `oom_kill 1` or `RssAnon: 12 kB` the number after a name; 0 where it is not. */
export function numberAfter(text: string, name: string): number {
  const [, digits] = new RegExp(`^${name}:?\\s+(\\d+)`, 'm').exec(text) ?? []
  return Number(digits ?? 0)
}

/** Of a file that is one number; null where it is none. */
export function numberIn(text: string): number | null {
  return /^\d+\s*$/.test(text) ? Number(text) : null
}
