import type { ServerResponse } from 'node:http'
import type { LegacyLink } from './legacy-link.ts'
import type { Asker } from './questions.ts'
import type { SessionStream } from './session-stream.ts'

/** A link whose requests are POSTed: a session, or one request alone. */
export interface PostedLink extends LegacyLink {
  openStream(): SessionStream
  begin(call: OpenCall): void
  finish(call: OpenCall): void
  connect(): (broken: boolean) => void
  /** An answer was handed to the socket, and the client may take its time to read it. */
  sent?(res: ServerResponse): void
}

/** An open call of a session that a message of the tool can be sent on. */
export interface OpenCall extends Asker {
  /** Its client is there. */
  readonly live: boolean
  pressure(): Promise<void> | undefined
}
