/** Keys of `_meta` that MCP gives a meaning to (2026-07-28). */
export const META = {
  protocolVersion: 'io.modelcontextprotocol/protocolVersion',
  clientCapabilities: 'io.modelcontextprotocol/clientCapabilities',
  clientInfo: 'io.modelcontextprotocol/clientInfo',
  logLevel: 'io.modelcontextprotocol/logLevel',
  serverInfo: 'io.modelcontextprotocol/serverInfo',
  subscriptionId: 'io.modelcontextprotocol/subscriptionId',
} as const

/**
 * Ours, on what an inline tool's process sends about one of its calls: the id of that call, as the
 * process knows it. Taken away before anyone else sees the message.
 */
export const CALL_ID = 'toolgate/callId'
