import { mkdtempSync, rmSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import type { Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A server at a socket that ends with its owner; resolves with its path. */
export async function listen(
  owner: { after(end: () => Promise<unknown>): void },
  server: Pick<Server, 'listen' | 'close' | 'once'>,
  dir = place(owner),
): Promise<string> {
  const connections = new Set<{ destroy(): void }>()
  ;(server as Server).on('connection', (connection) => connections.add(connection))
  const socket = join(dir, 'engine.sock')
  await new Promise<void>((done) => server.listen(socket, done))
  owner.after(async () => {
    for (const connection of connections) connection.destroy()
    server.close()
  })
  return socket
}

export function place(owner: { after(end: () => Promise<unknown>): void }): string {
  const dir = mkdtempSync(join(tmpdir(), 'toolgate-fake-'))
  owner.after(async () => rmSync(dir, { recursive: true, force: true }))
  return dir
}

/** What an engine answers. */
export function say(res: ServerResponse, status: number, body: unknown): void {
  res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
