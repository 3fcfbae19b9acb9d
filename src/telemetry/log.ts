/** Facts of one line. Never arguments, results, keys or secrets. */
export type LogFields = Readonly<Record<string, unknown>>

/** One JSON line each; `fields` first, as pino has it. */
export interface Logger {
  debug(fields: LogFields, message: string): void
  info(fields: LogFields, message: string): void
  warn(fields: LogFields, message: string): void
  error(fields: LogFields, message: string): void
  /** A logger whose lines all carry `fields`. */
  child(fields: LogFields): Logger
}
