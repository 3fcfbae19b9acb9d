// Floor (c): the least node:http over one tool process for each session.
// `node bench/floors/node-http.ts CACHE PROGRAM ARGS…`; says where it listens in one JSON line.
import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { enableCompileCache } from 'node:module'
import type { AddressInfo } from 'node:net'

const [cache, ...command] = process.argv.slice(2)
enableCompileCache(cache)
const { ToolProcess } = await import('./tool-process.ts')

const sessions = new Map<string, InstanceType<typeof ToolProcess>>()

const server = createServer((request, response) => {
  if (request.url !== '/mcp') response.writeHead(404).end()
  else if (request.method === 'DELETE') end(request, response)
  else {
    let body = ''
    request.setEncoding('utf8')
    request.on('data', (chunk: string) => {
      body += chunk
    })
    request.on('end', () => {
      answer(request, response, body).catch(() => response.writeHead(502).end())
    })
  }
})

async function answer(request: IncomingMessage, response: ServerResponse, body: string) {
  const message = JSON.parse(body)
  let session = request.headers['mcp-session-id'] as string
  if (message.method === 'initialize') {
    session = randomUUID()
    sessions.set(session, new ToolProcess(command))
  }
  const tool = sessions.get(session)
  if (tool === undefined) {
    response.writeHead(404).end()
  } else if (message.id === undefined) {
    tool.tell(body)
    response.writeHead(202).end()
  } else {
    const { line } = await tool.ask(message.id, body)
    response.writeHead(200, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(line),
      'mcp-session-id': session,
    })
    response.end(line)
  }
}

function end(request: IncomingMessage, response: ServerResponse) {
  const session = request.headers['mcp-session-id'] as string
  sessions.get(session)?.end()
  sessions.delete(session)
  response.writeHead(204).end()
}

server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo
  process.stdout.write(`${JSON.stringify({ msg: 'listening', url: `http://127.0.0.1:${port}` })}\n`)
})

process.on('SIGTERM', () => {
  for (const tool of sessions.values()) tool.end()
  process.exit(0)
})
