/** Where the forwarder listens, in the network namespace of its cell. */
export const FORWARDER = { host: '127.0.0.1', port: 3128 } as const

/**
 * What tells a program of its proxy: curl, Python, Go and the like go by the first ones, in one
 * case or the other, Node's own `fetch` and `http` by the last one as well.
 */
export function proxyVariables({
  host,
  port,
}: {
  readonly host: string
  readonly port: number
} = FORWARDER): Record<string, string> {
  const proxy = `http://${host.includes(':') ? `[${host}]` : host}:${port}`
  const variables: Record<string, string> = {}
  for (const name of ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY']) {
    variables[name] = proxy
    variables[name.toLowerCase()] = proxy
  }
  variables.NO_PROXY = INSIDE
  variables.no_proxy = INSIDE
  return { ...variables, NODE_USE_ENV_PROXY: '1' }
}

/** What a program serves itself. */
const INSIDE = 'localhost,127.0.0.1,::1'
