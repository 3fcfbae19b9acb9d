// Floor (b): a bare Express 5 route over one tool process for each session.
// `node bench/floors/express.ts CACHE PROGRAM ARGS…`; says where it listens in one JSON line.
import { randomUUID } from 'node:crypto'
import { enableCompileCache } from 'node:module'
import type { AddressInfo } from 'node:net'

const [cache, ...command] = process.argv.slice(2)
enableCompileCache(cache)
const { default: express } = await import('express')
const { ToolProcess } = await import('./tool-process.ts')

const sessions = new Map<string, InstanceType<typeof ToolProcess>>()
const app = express()
app.use(express.json())

app.post('/mcp', async (request, response) => {
  const message = request.body
  let session = request.get('mcp-session-id')
  if (message.method === 'initialize') {
    session = randomUUID()
    sessions.set(session, new ToolProcess(command))
  }
  const tool = sessions.get(session ?? '')
  if (session === undefined || tool === undefined) {
    response.status(404).json({ error: 'No such session' })
    return
  }
  if (message.id === undefined) {
    tool.tell(JSON.stringify(message))
    response.status(202).end()
    return
  }
  const answer = await tool.ask(message.id, JSON.stringify(message))
  response.set('mcp-session-id', session).json(answer.message)
})

app.delete('/mcp', (request, response) => {
  const session = request.get('mcp-session-id') ?? ''
  sessions.get(session)?.end()
  sessions.delete(session)
  response.status(204).end()
})

const server = app.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo
  process.stdout.write(`${JSON.stringify({ msg: 'listening', url: `http://127.0.0.1:${port}` })}\n`)
})

process.on('SIGTERM', () => {
  for (const tool of sessions.values()) tool.end()
  process.exit(0)
})
