import { randomBytes } from 'node:crypto'

/** The variable that tells whose a process is, wherever it went; no setting of the gateway. */
export const MARK = 'X_TOOLGATE_INSTANCE'

/** This gateway among all that ever ran: 16 hexadecimal digits, drawn anew by each process. */
export const GATEWAY = randomBytes(8).toString('hex')

/**
 * The value of `MARK` for a process of this gateway. `instance` is the id of an instance
 * (`files.12`), or says what else was started, with the tool it is for where there is one
 * (`files.describe`, `npm`).
 */
export function markOf(instance: string): string {
  return `${GATEWAY}.${instance}`
}

export interface Owner {
  readonly gateway: string
  /** Undefined where it was started for no tool alone. */
  readonly tool: string | undefined
}

/** Whose a process with this mark is; undefined for what is none of ours. */
export function readMark(mark: string): Owner | undefined {
  const [, gateway, tool] = FORM.exec(mark) ?? []
  return gateway === undefined ? undefined : { gateway, tool }
}

const FORM = /^([0-9a-f]{16})\.(?:([A-Za-z0-9_-]{1,64})\.)?[A-Za-z0-9_-]{1,64}$/
