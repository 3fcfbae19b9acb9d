import type { Duplex } from 'node:stream'
import { Readable, Writable } from 'node:stream'
import type Docker from 'dockerode'
import { within } from '../../within.ts'
import type { Stdio } from '../body.ts'
import { FrameReader } from './frames.ts'

/** The three streams of a container. */
export type Streams = Pick<Stdio, 'stdin' | 'stdout' | 'stderr'>

/** Opens a container's streams before it is started, so that nothing it says is lost. */
export function attach(docker: Docker, id: string, signal: AbortSignal): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    docker.modem.dial(
      {
        path: `/containers/${id}/attach?`,
        method: 'POST',
        isStream: true,
        hijack: true,
        // An empty body: one with the options would be there for the tool's stdin to read.
        file: Buffer.alloc(0),
        abortSignal: signal,
        statusCodes: { 200: true, 400: 'bad parameter', 404: 'no such container' },
        options: { stream: true, stdin: true, stdout: true, stderr: true },
      } as never,
      (error: unknown, stream: unknown) => {
        if (error) reject(error)
        else if ((stream as Duplex).writable) resolve(stream as Duplex)
        else reject(new Error('the engine gives no stream'))
      },
    )
  })
}

/**
 * A container's connection as three streams. Who does not read one of them is not read for: the
 * engine has to wait, and so has the tool. `last` is waited for before the tool sees the end of
 * its input, and `exited`, a little, before the end of its output is seen: it says more.
 */
export function streamsOf(
  connection: Duplex,
  last: () => Promise<unknown>,
  exited: Promise<unknown>,
): Streams {
  const full = new Set<Readable>()
  const output = (): Readable =>
    new Readable({
      read() {
        full.delete(this)
        if (full.size === 0) connection.resume()
      },
    })
  const [stdout, stderr] = [output(), output()]
  const frames = new FrameReader((number, chunk) => {
    const stream = number === 1 ? stdout : stderr
    if (stream.destroyed || stream.push(chunk)) return
    full.add(stream)
    connection.pause()
  })
  connection.on('data', (chunk: Buffer) => {
    try {
      frames.push(chunk)
    } catch (error) {
      connection.destroy(error as Error)
    }
  })
  const end = async () => {
    await within(exited, EXIT)
    for (const stream of [stdout, stderr]) stream.push(null)
  }
  connection.once('end', end).once('close', end)
  const stdin = input(connection, last)
  // Whoever writes is told; to whoever reads it is the end.
  connection.on('error', (error) => stdin.destroy(error))
  return { stdin, stdout, stderr }
}

/** Milliseconds. */
const EXIT = 2_000

/** Its end is half of the connection's; destroyed, it takes all of it along. */
function input(connection: Duplex, last: () => Promise<unknown>): Writable {
  return new Writable({
    autoDestroy: false,
    write: (chunk: Buffer, _encoding, done) => void connection.write(chunk, done),
    writev: (chunks, done) => {
      connection.write(Buffer.concat(chunks.map(({ chunk }) => chunk as Buffer)), done)
    },
    final: (done) => {
      void last().finally(() => {
        connection.end()
        done()
      })
    },
    destroy: (error, done) => {
      connection.destroy()
      done(error)
    },
  })
}
