import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Catalogue } from './catalogue/catalogue.ts'
import { createCatalogue } from './catalogue/create.ts'
import type { Config } from './config/config.ts'
import { createDispatch } from './dispatch/create.ts'
import type { Dispatch } from './dispatch/dispatch.ts'
import { Parked } from './dispatch/parked.ts'
import { Seal } from './dispatch/seal.ts'
import { createGuard } from './guard/create.ts'
import { createFront } from './http/front.ts'
import type { Health } from './http/health.ts'
import { folderHealth, tally } from './http/tools-health.ts'
import { ALL_TOOLS } from './inbound/aggregate/all-tools.ts'
import { catalogueFor } from './inbound/aggregate/catalogue.ts'
import { Directories } from './inbound/aggregate/directories.ts'
import { AggregateDispatch } from './inbound/aggregate/dispatch.ts'
import { functionOf } from './inbound/aggregate/function-of.ts'
import { Listens } from './inbound/modern/listens.ts'
import { checkScope } from './inbound/scope.ts'
import { Sessions } from './inbound/sessions.ts'
import { TaskDispatch } from './inbound/tasks/dispatch.ts'
import { Pool } from './pool/pool.ts'
import { openRegistry } from './registry/open.ts'
import type { Registry } from './registry/registry.ts'
import { cellOf, warnWithoutCells } from './runtime/cells.ts'
import { createReaper } from './runtime/create-reaper.ts'
import { describingLaunch } from './runtime/describing.ts'
import { EgressDoors } from './runtime/egress/doors.ts'
import { prepareStarting } from './runtime/start.ts'
import { warmCompiled } from './runtime/warm.ts'
import { serveMetrics } from './telemetry/metrics-server.ts'
import type { Telemetry } from './telemetry/telemetry.ts'
import { VERSION } from './version.ts'
import { Versions } from './versions.ts'
import { within } from './within.ts'

export interface GatewayOptions {
  readonly telemetry: Telemetry
  /** Reads, learns and serves this one tool only. */
  readonly only?: string
}

export interface Gateway {
  readonly url: string
  /** Null: metrics are off. */
  readonly metricsUrl: string | null
  readonly registry: Registry
  readonly catalogue: Catalogue
  /** Refuses new work, drains, ends every process; the first reason wins. */
  close(reason: string): Promise<void>
}

/** Builds the rooms and serves. Rejects when an address cannot be bound; leaves nothing then. */
export async function createGateway(
  config: Config,
  { telemetry, only }: GatewayOptions,
): Promise<Gateway> {
  const { log, meters } = telemetry
  const reaper = createReaper(config, telemetry)
  // Filled once it listens: no tool's way out leads back in.
  const ownPorts: number[] = []
  const egress = new EgressDoors({ cache: config.cache, log, meters, ownPorts: () => ownPorts })
  const guard = createGuard(config, telemetry)
  const registry = await openRegistry({
    folder: config.tools,
    cache: config.cache,
    log,
    only,
    launch: describingLaunch(config, log),
  })
  const pool: Pool = new Pool(
    { config, telemetry, egress },
    {
      spoken: (tool) => catalogue.spoken(tool),
      listChanged: (tool) => versions.listChanged(tool),
    },
  )
  const catalogue = createCatalogue({ pool, cache: config.cache, log })
  const directories = new Directories({ registry, catalogue, guard })
  const waist = createDispatch({ config, guard, pool, telemetry })
  const dispatch: Dispatch = new AggregateDispatch({
    dispatch: new TaskDispatch({ config, dispatch: waist, telemetry }),
    directories,
    telemetry,
    holdSession: (tool, session) => sessions.hold(tool, session),
    holdListen: (tool) => listens.hold(tool),
  })
  const seal = new Seal(config.stateKey, config.timeouts.ask)
  const parked = new Parked({
    config,
    dispatch,
    serves: (tool) => tool === ALL_TOOLS || versions.serves(tool),
  })
  const sessions = new Sessions(config, dispatch, log)
  const listens = new Listens(config.sessions)
  const versions = new Versions({
    registry,
    catalogue,
    pool,
    guard,
    timeout: config.timeouts.start,
    // Who asks for one tool is gone with the answer.
    prepares: only === undefined,
    onRetired: (name) => {
      listens.endTool(name)
      parked.retire(name)
    },
  })
  const since = performance.now()
  let closing: string | undefined
  let settled = false
  void registry.settled.then(() => {
    settled = true
  })

  const health = (): Health => ({
    version: VERSION,
    uptime: Math.round((performance.now() - since) / 1000),
    reasons: [
      ...(closing === undefined ? [] : ['shutting down']),
      ...(settled ? [] : ['the tools folder is not read yet']),
    ],
    tools: tally(registry, catalogue),
    sessions: sessions.size,
    instances: pool.counts().reduce((sum, [, running]) => sum + running, 0),
    components: { tools: folderHealth(config.tools) },
  })

  meters.gauge('sessions', () => sessions.counts())
  meters.gauge('instances', () => pool.counts())
  meters.gauge('spares', () => pool.spares())
  meters.gauge('queued', () => pool.waiting())
  meters.gauge('in_flight', () => [['', waist.inFlight.count]])
  meters.gauge('parked', () => [['', parked.count]])
  meters.gauge('listens', () => [['', listens.size]])

  const server = createFront({
    config,
    dispatch,
    registry,
    catalogue,
    guard,
    telemetry,
    sessions,
    listens,
    parked,
    seal,
    health,
    instances: (tool) => ({ running: pool.count(tool), sessions: sessions.count(tool) }),
    running: (tool) => pool.running(tool),
    cell: (tool) => cellOf(tool, config),
    checkScope: (link, message) => {
      if (link.tool !== ALL_TOOLS) checkScope({ registry, catalogue, guard }, link, message)
    },
    find: (tool) => (tool === ALL_TOOLS.name ? ALL_TOOLS : versions.find(tool)),
    listed: (caller, name) => directories.now(caller).listed(name),
    functionOf: (link, name) => functionOf(directories, link, name),
    catalogueFor: (caller) => catalogueFor(catalogue, directories, caller),
  })

  let connections = 0
  server.on('connection', (socket) => {
    connections += 1
    socket.once('close', () => {
      connections -= 1
    })
  })
  meters.gauge('connections', () => [['', connections]])

  const { host, port, metrics, metricsHost } = config.listen
  try {
    await listen(server, host, port)
    const metricsServer =
      metrics === null ? null : await serveMetrics(telemetry, metricsHost, metrics)
    ownPorts.push(...[urlOf(server, host), metricsServer?.url].flatMap(portOf))
    void versions.learnAll(only)
    prepareStarting()
    void warmCompiled(config)
    void warnWithoutCells(config, log)
    if (only === undefined) reaper.begin()

    const end = async (): Promise<void> => {
      log.info({ reason: closing }, 'closing')
      waist.inFlight.refuse()
      // A listen is a call that would never end by itself.
      listens.endAll()
      parked.close('the gateway shuts down')
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeIdleConnections()
      const drained = await within(waist.inFlight.idle(), config.timeouts.drain)
      if (!drained) log.warn({ calls: waist.inFlight.count }, 'calls cut off at timeouts.drain')
      sessions.endAll('the gateway shuts down')
      versions.close()
      await Promise.all([pool.close('the gateway shuts down'), registry.close()])
      await egress.close()
      await reaper.close()
      // What was answered last gets out before the connections are cut.
      await within(closed, LAST_WORDS)
      server.closeAllConnections()
      await Promise.all([closed, metricsServer?.close()])
      guard.close()
    }
    let ended: Promise<void> | undefined
    return {
      url: urlOf(server, host),
      metricsUrl: metricsServer?.url ?? null,
      registry,
      catalogue,
      close(reason) {
        closing ??= reason
        ended ??= end()
        return ended
      },
    }
  } catch (error) {
    server.close()
    versions.close()
    await Promise.all([pool.close('the gateway could not be started'), registry.close()])
    await egress.close()
    await reaper.close()
    guard.close()
    throw error
  }
}

/** Milliseconds for answers that are on their way when everything else has ended. */
const LAST_WORDS = 250

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

function urlOf(server: Server, host: string): string {
  const { port } = server.address() as AddressInfo
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`
}

function portOf(url: string | undefined): number[] {
  return url === undefined ? [] : [Number(new URL(url).port) || 80]
}
