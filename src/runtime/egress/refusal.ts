import { type Destination, showDestination } from './destination.ts'

/** Why a tool did not get out, as it is counted: the status of the answer, and what it says. */
export const REFUSALS = {
  malformed: {
    status: 400,
    why: 'the request is no CONNECT to host:port and no plain http:// one',
  },
  not_allowed: { status: 403, why: "it is not in the tool's policy" },
  gateway: { status: 403, why: 'it is a port of the gateway itself' },
  not_public: { status: 403, why: 'it does not lead to public addresses only' },
  stranger: { status: 403, why: 'it is the proxy of another tool' },
  unresolved: { status: 502, why: 'the name has no address' },
  failed: { status: 502, why: 'the connection failed' },
  busy: { status: 503, why: 'the tool has too many open or looked up at once' },
  timeout: { status: 504, why: 'no connection was made in time' },
} as const satisfies Record<string, { readonly status: number; readonly why: string }>

export type RefusalReason = keyof typeof REFUSALS

/** Its message is for the tool: a name and a port as it sent them, never where they lead. */
export class Refusal extends Error {
  readonly reason: RefusalReason
  readonly destination: Destination | undefined

  constructor(reason: RefusalReason, destination?: Destination, cause?: unknown) {
    const what = destination === undefined ? '' : `${showDestination(destination)}: `
    super(`Refused by the gateway's egress proxy: ${what}${REFUSALS[reason].why}.\n`, { cause })
    this.reason = reason
    this.destination = destination
  }

  get status(): number {
    return REFUSALS[this.reason].status
  }
}
