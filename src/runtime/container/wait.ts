import type { Readable } from 'node:stream'
import { setTimeout as pause } from 'node:timers/promises'
import type Docker from 'dockerode'

/**
 * Asks for the exit code of a container that is about to be started; resolves with it once the
 * engine listens, which is before anything can have happened. `code` rejects where the engine ends
 * first.
 */
export async function watchExit(docker: Docker, id: string): Promise<{ code: Promise<number> }> {
  const answer = request(docker, id)
  const code = answer.then(readCode)
  // Whoever started it looks at the code later.
  code.catch(() => {})
  // Some engines answer nothing before the end.
  await Promise.race([answer, pause(SILENT, undefined, { ref: false })])
  return { code }
}

/** Milliseconds. */
const SILENT = 500

function request(docker: Docker, id: string): Promise<Readable> {
  return new Promise((resolve, reject) => {
    docker.modem.dial(
      {
        path: `/containers/${id}/wait?`,
        method: 'POST',
        // As a stream: the client's own reading of an answer does not end where the engine does.
        isStream: true,
        statusCodes: { 200: true, 400: 'bad parameter', 404: 'no such container' },
        options: { _query: { condition: 'next-exit' }, _body: {} },
      } as never,
      (error: unknown, stream: unknown) => (error ? reject(error) : resolve(stream as Readable)),
    )
  })
}

async function readCode(stream: Readable): Promise<number> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk as Buffer)
  const { StatusCode } = JSON.parse(Buffer.concat(chunks).toString('utf8'))
  return Number(StatusCode)
}
