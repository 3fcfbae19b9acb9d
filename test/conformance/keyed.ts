import { once } from 'node:events'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Owner } from '../harness/gateway.ts'

/**
 * The URL of `base` for who holds `key`, until its owner ends: the suite cannot send a key itself.
 * Whatever else is sent passes as it is, and what one side breaks off breaks off at the other.
 */
export async function keyed(owner: Owner, base: string, key: string): Promise<string> {
  const { hostname, port } = new URL(base)
  const proxy = createServer((req, res) => {
    const headers = { ...req.headers, authorization: `Bearer ${key}` }
    const passed = request({ hostname, port, path: req.url, method: req.method, headers })
    passed.on('response', (answer) => {
      res.writeHead(answer.statusCode ?? 502, answer.headers)
      res.flushHeaders()
      answer.pipe(res)
      answer.on('error', () => res.destroy())
    })
    passed.on('error', () => res.destroy())
    res.on('close', () => passed.destroy())
    req.pipe(passed)
  })
  proxy.listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  owner.after(async () => {
    proxy.closeAllConnections()
    proxy.close()
  })
  return `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`
}
