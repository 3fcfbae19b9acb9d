/** Where a value stands: a file with line and column (from 1), a flag, or a variable. */
export interface Place {
  readonly source: string
  readonly line?: number
  readonly column?: number
}

/** One thing that is wrong, and what would be right. */
export interface Mistake {
  readonly place: Place
  /** The key, such as `timeouts.call`; empty where there is none. */
  readonly path: string
  readonly message: string
  readonly expected?: string
}

/** Absolute paths. */
export interface Folders {
  readonly tools: string
  readonly cache: string
}

/** The configuration cannot be used. Has all mistakes at once, each a line of the message. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly mistakes: readonly Mistake[]
  /** Where the tools are, if this could be read all the same; so that they can be checked too. */
  readonly folders: Folders | undefined

  constructor(mistakes: readonly Mistake[], folders?: Folders) {
    super(mistakes.map(describeMistake).join('\n'))
    this.mistakes = mistakes
    this.folders = folders
  }
}

/** `file:line:column path: message; expected …`. */
export function describeMistake({ place, path, message, expected }: Mistake): string {
  const at = [place.source, place.line, place.column].filter((part) => part !== undefined).join(':')
  const where = path === '' ? at : `${at} ${path}`
  const line = `${where}: ${message}${expected === undefined ? '' : `; expected ${expected}`}`
  return line.replace(/\s*[\r\n]\s*/g, ' ')
}
