import type { Form } from './form.ts'
import * as form from './form.ts'

/** One key of the file. `fallback` is written as in YAML and read by the same form. */
export interface Row<T> {
  readonly form: Form<T>
  readonly fallback: unknown
  readonly about: string
}

/** A list, whose items are each of one form or each a small map of keys. */
export interface ListRow<T> {
  readonly each: Form<T> | Section
  readonly about: string
}

export interface Section {
  readonly [key: string]: Row<unknown> | ListRow<unknown> | Section
}

/**
 * Every key of `config/gateway.yaml` with its form, its default and what it is for. The shipped
 * file and the list in `docs/configuration.md` are compared with it by a test.
 */
export const KEYS = {
  listen: {
    host: row(form.host, '127.0.0.1', 'Address of the gateway; any but loopback needs `keys`.'),
    port: row(form.port, 8080, 'Port of the gateway; 0 picks a free one.'),
    metrics: row(form.portOrOff, 9090, 'Port of `/metrics`; 0 picks a free one, `off` has none.'),
    metricsHost: row(form.host, '127.0.0.1', 'Address of `/metrics`, which needs no key.'),
  },
  hosts: list(form.host, 'More names accepted in `Host`, besides loopback and `listen.host`.'),
  origins: list(form.origin, "Origins accepted besides the same host; `'*'` accepts all."),
  tools: row(form.folder, './tools.d', 'The folder with one file for each tool.'),
  workspace: row(form.folder, './workspace', 'Each tool has its own folder below this one.'),
  cache: row(form.folderOrNone, null, 'What may be lost; null: `toolgate` in your cache folder.'),
  timeouts: {
    install: row(form.duration, '5m', 'Installing an npm package or pulling an image.'),
    start: row(form.duration, '30s', 'From starting a process to its answer to `initialize`.'),
    call: row(form.duration, '60s', "One call, where the tool's file has no `timeout`."),
    ask: row(form.duration, '10m', 'A client answering what a tool asks during a call.'),
    idle: row(
      form.duration,
      '5m',
      "A process that several clients share, since its last call; a tool's own `idle` wins.",
    ),
    drain: row(form.durationOrNone, '30s', 'Calls still running when the gateway is told to stop.'),
    stdin: row(form.durationOrNone, '2s', 'Ending a process: from closing its stdin to TERM.'),
    term: row(form.durationOrNone, '3s', 'Ending a process: from TERM to KILL.'),
  },
  sessions: {
    resume: row(form.durationOrNone, '60s', 'A session whose last stream broke is kept this long.'),
    idle: row(form.duration, '10m', 'A session with no stream open is kept this long.'),
    max: row(form.count, 1000, 'Most sessions at once.'),
    perTool: row(form.count, 250, 'Most sessions of one tool at once.'),
    events: row(form.count, 1000, 'Most events one session keeps for `Last-Event-ID`.'),
    parked: row(form.count, 16, 'Most calls of one caller of one tool that wait for its answers.'),
  },
  limits: {
    calls: row(form.count, 600, "Calls of each tool in `per`; a tool's own `limits` go before."),
    per: row(form.duration, '1m', 'The time in which `calls` are counted.'),
    burst: row(form.countOrNone, 100, 'Calls allowed on top, in a burst.'),
  },
  sandbox: row(
    form.oneOf('required', 'none'),
    'required',
    'Whether tools run in cells; `none` is refused with `keys` or a public address.',
  ),
  cells: {
    memory: row(form.size, '1GB', "A tool's processes together, where its file has no `memory`."),
    processes: row(form.count, 256, 'Processes and threads, where its file has no `processes`.'),
    tmp: row(form.size, '64MB', "A tool's private `/tmp`."),
    disk: row(form.size, '1GB', 'What a tool may keep in its folder of the workspace.'),
    users: row(form.userRange, '2000000-2009999', 'Under root: user ids of tools, one for each.'),
  },
  engine: {
    socket: row(
      form.socketOrNone,
      null,
      'Socket of Docker or Podman; null: `DOCKER_HOST`, then the usual places.',
    ),
  },
  pool: {
    instances: row(form.count, 1000, 'Most processes of all tools together.'),
    starts: row(form.count, 4, 'Most processes started at the same time.'),
    queue: row(form.countOrNone, 100, 'Most that wait for a process of one tool; then 429.'),
    wait: row(form.duration, '10s', 'How long they wait; then 503.'),
  },
  sizes: {
    body: row(form.size, '1MB', 'Largest body of a request.'),
    line: row(form.size, '16MB', 'Longest message of a tool.'),
    events: row(form.size, '4MB', 'Most bytes one session keeps for `Last-Event-ID`.'),
  },
  keys: list(
    {
      id: row(
        form.pattern(/^[A-Za-z0-9._-]{1,64}$/, 'a name of letters, digits, dot, _ and -'),
        undefined,
        'Who it is, in logs.',
      ),
      hash: row(
        form.pattern(/^sha256:[0-9a-f]{64}$/, '"sha256:" and 64 hexadecimal digits', true),
        undefined,
        'What `toolgate key new` printed; never the key.',
      ),
      roles: list(form.pattern(/^\S{1,128}$/, 'a role, without spaces'), 'Roles of the caller.'),
      scopes: list(form.pattern(/^\S{1,128}$/, 'a scope, without spaces'), 'Scopes of the caller.'),
    },
    'API keys, hashed. With none, anyone on this machine may call.',
  ),
  stateKey: row(
    form.secretOrNone,
    null,
    'Signs what clients carry between two requests; the same for all replicas. null: a new one at each start.',
  ),
  unauthenticated: row(form.yesOrNo, false, 'Lets a public address be opened without `keys`.'),
  telemetry: {
    endpoint: row(form.httpUrlOrNone, null, 'OTLP/HTTP base URL that traces go to.'),
    sample: row(form.share, 1, 'Share of new traces that is sampled.'),
  },
  log: {
    level: row(form.oneOf('debug', 'info', 'warn', 'error'), 'info', 'Least level that is logged.'),
  },
} as const satisfies Section

/** What goes before the file, flags before variables. Paths in them are relative to the cwd. */
export const OVERRIDES = [
  { flag: 'tools', variable: 'TOOLGATE_TOOLS', path: 'tools' },
  { flag: 'workspace', variable: 'TOOLGATE_WORKSPACE', path: 'workspace' },
  { flag: 'host', variable: 'TOOLGATE_HOST', path: 'listen.host' },
  { flag: 'port', variable: 'TOOLGATE_PORT', path: 'listen.port' },
  { flag: 'metrics-port', variable: 'TOOLGATE_METRICS_PORT', path: 'listen.metrics' },
  { flag: 'unauthenticated', variable: undefined, path: 'unauthenticated' },
  { flag: undefined, variable: 'TOOLGATE_CACHE', path: 'cache' },
  { flag: undefined, variable: 'TOOLGATE_STATE_KEY', path: 'stateKey' },
] as const

/** The values that a section's rows read to. */
export type Values<S> = {
  readonly [K in keyof S]: S[K] extends Row<infer T>
    ? T
    : S[K] extends ListRow<infer T>
      ? readonly T[]
      : Values<S[K]>
}

function row<T>(form: Form<T>, fallback: unknown, about: string): Row<T> {
  return { form, fallback, about }
}

function list<T>(each: Form<T>, about: string): ListRow<T>
function list<S extends Section>(each: S, about: string): ListRow<Values<S>>
function list(each: Form<unknown> | Section, about: string): ListRow<unknown> {
  return { each, about }
}
