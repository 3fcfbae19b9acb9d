/** The one table of span, metric and log-event names. Low in cardinality. */
export const SPANS = {
  request: 'toolgate.request',
  call: 'toolgate.call',
  spawn: 'toolgate.spawn',
  create: 'toolgate.spawn.create',
  start: 'toolgate.spawn.start',
  handshake: 'toolgate.spawn.handshake',
  ready: 'toolgate.spawn.ready',
  /** A process from the moment it can be called to its end, with what it used. */
  life: 'toolgate.life',
} as const

export type SpanName = (typeof SPANS)[keyof typeof SPANS]

/** As OpenTelemetry has them: the gateway serves a request, and is the client of a tool. */
export const SPAN_KINDS = {
  [SPANS.request]: 'SERVER',
  [SPANS.call]: 'CLIENT',
  [SPANS.spawn]: 'INTERNAL',
  [SPANS.create]: 'INTERNAL',
  [SPANS.start]: 'INTERNAL',
  [SPANS.handshake]: 'INTERNAL',
  [SPANS.ready]: 'INTERNAL',
  [SPANS.life]: 'INTERNAL',
} as const satisfies Record<SpanName, string>

/** Prometheus names, in the order they are written. Times are seconds. */
export const METRICS = {
  requests: {
    name: 'mcp_gateway_requests_total',
    type: 'counter',
    help: 'Finished calls by tool, entrance and outcome (ok or an error code).',
  },
  duration: {
    name: 'mcp_gateway_request_duration_seconds',
    type: 'histogram',
    help: 'Time from taking a call to its answer, by tool; a listen is none.',
  },
  in_flight: {
    name: 'mcp_gateway_requests_in_flight',
    type: 'gauge',
    help: 'Calls that are open now.',
  },
  parked: {
    name: 'mcp_gateway_requests_parked',
    type: 'gauge',
    help: 'Calls that wait for their clients to answer what was asked.',
  },
  listens: {
    name: 'mcp_gateway_listens_active',
    type: 'gauge',
    help: 'Listens of modern clients (subscriptions/listen) that are open now.',
  },
  connections: {
    name: 'mcp_gateway_connections_active',
    type: 'gauge',
    help: 'Client connections that are open now.',
  },
  sessions: {
    name: 'mcp_gateway_sessions_active',
    type: 'gauge',
    help: 'Sessions that are open now.',
  },
  instances: {
    name: 'mcp_gateway_instances',
    type: 'gauge',
    help: 'Running processes or connections of each tool.',
  },
  spares: {
    name: 'mcp_gateway_spares',
    type: 'gauge',
    help: 'Processes of each tool that are ready for the next session; they are instances too.',
  },
  queued: {
    name: 'mcp_gateway_queue_length',
    type: 'gauge',
    help: 'Calls and sessions that wait for a process of each tool.',
  },
  authFailures: {
    name: 'mcp_gateway_auth_failures_total',
    type: 'counter',
    help: 'Requests refused because of who sent them, by reason.',
  },
  rateLimited: {
    name: 'mcp_gateway_rate_limit_exceeded_total',
    type: 'counter',
    help: 'Calls over the rate limit, by tool.',
  },
  routingErrors: {
    name: 'mcp_gateway_routing_errors_total',
    type: 'counter',
    help: 'Requests that led to no tool or function, by reason.',
  },
  spawns: {
    name: 'mcp_gateway_spawns_total',
    type: 'counter',
    help: 'Started instances by tool and outcome (ok or failed).',
  },
  spawnDuration: {
    name: 'mcp_gateway_spawn_duration_seconds',
    type: 'histogram',
    help: 'Time from starting an instance until it can be called, by tool.',
  },
  reaped: {
    name: 'mcp_gateway_orphans_reaped_total',
    type: 'counter',
    help: 'Processes ended that a dead gateway left behind, by tool (empty where it was for none).',
  },
  egress: {
    name: 'mcp_gateway_egress_total',
    type: 'counter',
    help: 'What tools asked of the egress proxy, by tool and outcome (ok or why it was refused).',
  },
  build: {
    name: 'mcp_gateway_build_info',
    type: 'gauge',
    help: 'Always 1; its labels say what runs.',
  },
  cpu: {
    name: 'process_cpu_seconds_total',
    type: 'counter',
    help: 'CPU time of the gateway, user and system.',
  },
  memory: {
    name: 'process_resident_memory_bytes',
    type: 'gauge',
    help: 'Resident memory of the gateway.',
  },
  started: {
    name: 'process_start_time_seconds',
    type: 'gauge',
    help: 'When the gateway was started, since the epoch.',
  },
  loopLag: {
    name: 'nodejs_eventloop_lag_seconds',
    type: 'gauge',
    help: 'How late a due timer fired during this scrape.',
  },
  loopActive: {
    name: 'nodejs_eventloop_active_seconds_total',
    type: 'counter',
    help: 'Time in which the event loop was busy.',
  },
  handles: {
    name: 'nodejs_active_resources',
    type: 'gauge',
    help: 'What keeps the event loop alive, by type.',
  },
} as const satisfies Record<string, MetricRow>

export interface MetricRow {
  readonly name: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly help: string
}

/** `msg` of the lines that somebody may look for by name. */
export const EVENTS = {
  listening: 'listening',
  /** One for each finished call. */
  call: 'call',
  /** One line a tool wrote to stderr, in `line`. */
  stderr: 'tool stderr',
  stderrDropped: 'tool stderr lines dropped',
  /** A tool asked the egress proxy for what it did not get: `host`, `port` and `why`. */
  egressRefused: 'egress refused',
  logDropped: 'log lines dropped',
  exportFailed: 'traces could not be exported',
} as const
