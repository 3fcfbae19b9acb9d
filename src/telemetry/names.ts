/** The one table of span, metric and log-event names. Low in cardinality. */
export const SPANS = {
  request: 'toolgate.request',
  call: 'toolgate.call',
  spawn: 'toolgate.spawn',
  create: 'toolgate.spawn.create',
  start: 'toolgate.spawn.start',
  handshake: 'toolgate.spawn.handshake',
  ready: 'toolgate.spawn.ready',
} as const

export type SpanName = (typeof SPANS)[keyof typeof SPANS]
