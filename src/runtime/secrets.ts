import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import { ToolgateError } from '../errors.ts'
import type { Logger } from '../telemetry/log.ts'
import { type Redaction, redactionOf, UNREDACTED } from '../telemetry/redaction.ts'
import type { Declaration, Policy } from '../tool/declaration.ts'
import { parseSource } from '../tool/secret-source.ts'
import { within } from '../within.ts'

export interface SecretsOptions {
  /** The gateway's own. */
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Milliseconds for a file to be read. */
  readonly patience: number
  /** Is told which secret is missing, where and why; callers are told which. */
  readonly log: Logger
  /** Folder of mounted secrets. */
  readonly mounted?: string
}

/** What a process is given, and how its words are logged. */
export interface Secrets {
  /** By variable name. */
  readonly values: Readonly<Record<string, string>>
  readonly redaction: Redaction
}

/**
 * The values of a tool's secrets, read anew for each process. Rejects with
 * `tool_failed_to_start`, which names every secret that is missing, and no source or value.
 */
export async function resolveSecrets(
  secrets: Policy['secrets'],
  options: SecretsOptions,
): Promise<Secrets> {
  const found = await Promise.all(
    Object.entries(secrets).map(async ([name, source]) => {
      return { name, source, ...(await resolve(source, options)) }
    }),
  )
  const values: Record<string, string> = {}
  const lost: string[] = []
  for (const { name, source, value, why } of found) {
    if (value !== undefined) values[name] = value
    else {
      options.log.error({ secret: name, source, why }, 'secret is missing')
      lost.push(`"${name}"`)
    }
  }
  if (lost.length === 0) {
    const resolved = { values, redaction: redactionOf(values) }
    last.set(secrets, resolved)
    return resolved
  }
  const what = lost.length === 1 ? `its secret ${lost} is` : `its secrets ${lost.join(', ')} are`
  const message = `The tool could not be started: ${what} missing; the gateway's log says why.`
  last.set(secrets, { ...last.get(secrets), missing: message })
  throw new ToolgateError('tool_failed_to_start', message)
}

/** How the words of a tool are logged, by what was resolved for its last process. */
export function redactionFor({ policy }: Declaration): Redaction {
  return last.get(policy.secrets)?.redaction ?? UNREDACTED
}

/** Why the last process of a tool was not started, where that was for want of a secret. */
export function missingSecrets({ policy }: Declaration): string | undefined {
  return last.get(policy.secrets)?.missing
}

/** What came of it last, by the part of a declaration that all its copies share. */
const last = new WeakMap<
  Policy['secrets'],
  { readonly redaction?: Redaction; readonly missing?: string }
>()

/** A value, or why there is none. */
interface Found {
  readonly value?: string
  readonly why?: string
}

async function resolve(text: string, options: SecretsOptions): Promise<Found> {
  const { environment, patience, mounted = MOUNTED } = options
  const source = parseSource(text)
  if (source === undefined) return { why: 'it is no source' }
  if (source.kind === 'env') {
    const value = environment[source.name] ?? ''
    return value === '' ? { why: 'the variable is not set' } : checked(value)
  }
  const reading = readSecret(source.kind === 'file' ? source.path : join(mounted, source.name))
  // A file system that hangs keeps this tool from starting, and nothing else.
  const timely = await within(reading, patience)
  return timely ? reading : { why: `it was not read within ${patience} ms` }
}

/** Where Docker, Podman and most set-ups of Kubernetes put them. */
const MOUNTED = '/run/secrets'

/** Bytes of a value; a line end more may come after it. */
const MOST = 64 * 2 ** 10
const LINE_END = 2

/** Never rejects. */
async function readSecret(path: string): Promise<Found> {
  let handle: FileHandle | undefined
  try {
    // A pipe that nobody writes to must not be waited for.
    handle = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
    if (!(await handle.stat()).isFile()) return { why: 'it is not a file' }
    const bytes = await readUpTo(handle, MOST + LINE_END + 1)
    if (bytes.length > MOST + LINE_END) return { why: TOO_LONG }
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    return checked(text.replace(/\r?\n$/, ''))
  } catch (error) {
    return { why: whyNot(error) }
  } finally {
    await handle?.close().catch(() => {})
  }
}

async function readUpTo(handle: FileHandle, most: number): Promise<Buffer> {
  const buffer = Buffer.alloc(most)
  let filled = 0
  while (filled < most) {
    const { bytesRead } = await handle.read(buffer, filled, most - filled, null)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return buffer.subarray(0, filled)
}

const TOO_LONG = `it is longer than ${MOST} bytes`

function checked(value: string): Found {
  if (value === '') return { why: 'it is empty' }
  // No variable can hold one, and whoever refuses it then quotes the value.
  if (value.includes('\0')) return { why: 'it holds a NUL' }
  return Buffer.byteLength(value) > MOST ? { why: TOO_LONG } : { value }
}

function whyNot(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException
  if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA') return 'it is not UTF-8 text'
  if (code === 'ENOENT' || code === 'ENOTDIR') return 'there is no such file'
  if (code === 'EACCES' || code === 'EPERM') return 'it may not be read'
  if (code === 'EISDIR') return 'it is not a file'
  return `reading it failed${code === undefined ? '' : ` with ${code}`}`
}
