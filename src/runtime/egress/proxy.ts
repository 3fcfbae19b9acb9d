import { once } from 'node:events'
import { chmod } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type AddressInfo, BlockList, isIPv4, type Socket } from 'node:net'
import type { Logger } from '../../telemetry/log.ts'
import type { Meters } from '../../telemetry/telemetry.ts'
import { hangUp, refusalHeaders } from './answer.ts'
import { type Destination, readDestination } from './destination.ts'
import { type Connect, connectTo, dial } from './dial.ts'
import { forwardRequest, readTarget } from './forward-request.ts'
import { Refusal } from './refusal.ts'
import { type RouteOptions, Router } from './route.ts'
import { Told } from './told.ts'
import { tunnel } from './tunnel.ts'

export interface EgressOptions extends RouteOptions {
  readonly tool: string
  readonly log: Logger
  readonly meters: Pick<Meters, 'egress'>
  readonly bounds?: Partial<Bounds>
  /** For tests: instead of TCP. */
  readonly connect?: Connect
}

interface Bounds {
  /** Of the tool, at once; each may have one to the outside. */
  readonly connections: number
  /** Milliseconds, for lookup and connection together. */
  readonly connect: number
  /** Milliseconds in which nothing moves. */
  readonly idle: number
}

const BOUNDS: Bounds = { connections: 256, connect: 10_000, idle: 600_000 }

/** Where a proxy is reached: a socket in a folder of ours, or TCP for the peers in `from`. */
export type ProxyAddress =
  | { readonly path: string }
  | {
      readonly host: string
      /** Such as `172.20.0.0/16`: this tool's containers. Others would get what is its alone. */
      readonly from: string
    }

/** The only way out for the tools of one policy: `CONNECT host:port` and plain `http://`. */
export class EgressProxy {
  readonly #options: EgressOptions
  readonly #bounds: Bounds
  readonly #router: Router
  readonly #told: Told
  readonly #sockets = new Set<Socket>()
  readonly #server = createServer({
    maxHeaderSize: 16_384,
    headersTimeout: 10_000,
    // A long upload is no fault: what does not move ends by `idle`.
    requestTimeout: 0,
  })
  #peers: BlockList | undefined
  #closed = false

  constructor(options: EgressOptions) {
    this.#options = options
    this.#bounds = { ...BOUNDS, ...options.bounds }
    this.#router = new Router(options)
    this.#told = new Told(options.log.child({ tool: options.tool }))
    const server = this.#server
    server.maxConnections = this.#bounds.connections
    server.timeout = this.#bounds.idle
    server.maxHeadersCount = 0
    // So that what is open is bounded by the connections.
    server.maxRequestsPerSocket = 1
    server.on('connection', (tool: Socket) => this.#greet(tool))
    server.on('drop', () => this.#refused(new Refusal('busy')))
    server.on('connect', (request, tool, head) => void this.#tunnel(request, tool as Socket, head))
    server.on('request', (request, response) => void this.#forward(request, response))
    server.on('clientError', (error, tool) => this.#malformed(error, tool as Socket))
  }

  /** The TCP port, null for a path. Every user of the host may connect to a path they can reach. */
  async listen(address: ProxyAddress): Promise<number | null> {
    if ('path' in address) this.#server.listen({ path: address.path })
    else {
      this.#peers = readNetwork(address.from)
      this.#server.listen({ host: address.host, port: 0 })
    }
    await once(this.#server, 'listening')
    if ('path' in address) await chmod(address.path, 0o666)
    return 'path' in address ? null : (this.#server.address() as AddressInfo).port
  }

  /** Ends all that is open; the socket's file is gone then. */
  async close(): Promise<void> {
    this.#closed = true
    const ended = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    for (const socket of this.#sockets) socket.destroy()
    await ended
  }

  #greet(tool: Socket): void {
    tool.on('error', () => {})
    this.#keep(tool)
    if (this.#peers === undefined || isPeer(tool.remoteAddress, this.#peers)) return
    this.#refused(new Refusal('stranger'))
    tool.destroy()
  }

  async #tunnel(request: IncomingMessage, tool: Socket, head: Uint8Array): Promise<void> {
    try {
      const destination = readDestination(request.url ?? '')
      if (destination === undefined) throw new Refusal('malformed')
      const far = await this.#reach(destination, tool)
      this.#options.meters.egress(this.#options.tool, 'ok')
      await tunnel(tool, far, head)
    } catch (error) {
      const refusal = refusalOf(error)
      if (!tool.destroyed) hangUp(tool, this.#refused(refusal))
    }
  }

  async #forward(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const target = readTarget(request)
    response.on('error', () => {})
    try {
      if (target === undefined) throw new Refusal('malformed')
      const far = await this.#reach(target.destination, request.socket)
      response.once('close', () => far.destroy())
      await forwardRequest(request, response, far, target)
      this.#options.meters.egress(this.#options.tool, 'ok')
    } catch (error) {
      const refusal = refusalOf(error, target?.destination)
      if (request.socket.destroyed) return
      const { status, message } = this.#refused(refusal)
      if (response.headersSent) response.destroy()
      else response.writeHead(status, refusalHeaders(message)).end(message)
    }
  }

  /** A connection to there. Rejects with a `Refusal`; when the tool is gone, with anything. */
  async #reach(destination: Destination, tool: Socket): Promise<Socket> {
    const ending = new AbortController()
    const late = () => ending.abort(new Refusal('timeout', destination))
    const gone = () => ending.abort(new Error('the tool is gone'))
    const timer = setTimeout(late, this.#bounds.connect)
    tool.once('close', gone)
    const { connect = connectTo } = this.#options
    const begin = (address: string) => this.#keep(connect(address, destination.port))
    try {
      const addresses = await unlessAborted(this.#router.find(destination), ending.signal)
      const far = await dial(addresses, begin, ending.signal)
      far.setTimeout(this.#bounds.idle, () => far.destroy())
      return far
    } catch (error) {
      throw refusalOf(error, destination)
    } finally {
      clearTimeout(timer)
      tool.off('close', gone)
    }
  }

  #malformed(error: Error, tool: Socket): void {
    const { code } = error as NodeJS.ErrnoException
    // In the middle of an answer, another one would only look like more of it.
    if (code === 'ECONNRESET' || !tool.writable || tool.bytesWritten > 0) tool.destroy()
    else hangUp(tool, this.#refused(new Refusal('malformed', undefined, error)))
  }

  #refused(refusal: Refusal): Refusal {
    this.#options.meters.egress(this.#options.tool, refusal.reason)
    this.#told.refused(refusal)
    return refusal
  }

  #keep(socket: Socket): Socket {
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
    if (this.#closed) socket.destroy()
    return socket
  }
}

function refusalOf(error: unknown, destination?: Destination): Refusal {
  return error instanceof Refusal ? error : new Refusal('failed', destination, error)
}

function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
    promise.then(resolve, reject)
  })
}

function readNetwork(text: string): BlockList {
  const [network = '', prefix = ''] = text.split('/')
  const peers = new BlockList()
  peers.addSubnet(network, Number(prefix), isIPv4(network) ? 'ipv4' : 'ipv6')
  return peers
}

function isPeer(address: string | undefined, peers: BlockList): boolean {
  return address !== undefined && peers.check(address, isIPv4(address) ? 'ipv4' : 'ipv6')
}
