import { connect, type Socket } from 'node:net'

/** Begins to connect to an address, never to a name. */
export type Connect = (address: string, port: number) => Socket

export const connectTo: Connect = (address, port) =>
  connect({ host: address, port, allowHalfOpen: true, autoSelectFamily: false })

/**
 * A connection to the first of the addresses that answers, in their order. An address that keeps
 * silent is given up for the next one, the last one only by the signal. Rejects with what the
 * last one failed with, or with the signal's reason.
 */
export async function dial(
  addresses: readonly string[],
  begin: (address: string) => Socket,
  signal: AbortSignal,
): Promise<Socket> {
  const tried = addresses.slice(0, MOST)
  for (const [index, address] of tried.entries()) {
    signal.throwIfAborted()
    const last = index === tried.length - 1
    try {
      return await connected(begin(address), signal, last ? undefined : PATIENCE)
    } catch (error) {
      if (last) throw error
    }
  }
  throw new Error('there is no address')
}

function connected(socket: Socket, signal: AbortSignal, patience?: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const give = () => socket.destroy(new Error('the address is silent'))
    const stop = () => socket.destroy(signal.reason)
    const timer = patience === undefined ? undefined : setTimeout(give, patience)
    const done = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', stop)
    }
    signal.addEventListener('abort', stop)
    // This one stays: whoever takes the socket over hears of its end by its close.
    socket.on('error', reject)
    socket.once('connect', () => {
      done()
      resolve(socket)
    })
    socket.once('close', () => {
      done()
      reject(new Error('the connection was closed'))
    })
  })
}

/** Addresses. */
const MOST = 8
/** Milliseconds. */
const PATIENCE = 2_000
