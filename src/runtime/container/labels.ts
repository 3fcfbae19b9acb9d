/** What every container of a gateway is marked with; networks have the first and the last. */
export const LABEL = {
  /** The id of the gateway. */
  gateway: 'toolgate.gateway',
  /** The mark of the instance. */
  instance: 'toolgate.instance',
  /** The name of the tool. */
  tool: 'toolgate.tool',
} as const
