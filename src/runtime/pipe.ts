import type { Message } from '../protocol/message.ts'

/** The message stream to an instance. */
export interface Pipe {
  /** Names the one reader; messages that came before it are kept for it. */
  read(reader: (message: Message) => void): void
  /** Writes one message as one line. Throws `tool_gone` or, when the tool reads too slowly, `tool_misbehaved`. */
  send(bytes: Uint8Array): void
  /** Stops reading from the tool, so that it has to wait. */
  pause(): void
  resume(): void
  /** Resolves once, when the process and its descendants are gone. Never rejects. */
  readonly ended: Promise<Ending>
  /** Resolves once, when nothing more can be exchanged, though descendants may still be ending. */
  readonly closed: Promise<Ending>
  /** Ends the process: stdin closed, TERM, KILL. The first reason wins; safe to call again. */
  close(reason: string): Promise<Ending>
  /** Ends at once what has shown that it listens to nothing. */
  kill(reason: string): Promise<Ending>
}

/** How an instance ended. */
export interface Ending {
  /** Why, in words a stranger may read: `exited with code 1`, `idle`, `session deleted`. */
  readonly reason: string
  /** True when the process ended without being asked to. */
  readonly unexpected: boolean
  readonly exitCode: number | null
  readonly signal: string | null
}
