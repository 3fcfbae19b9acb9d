import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import type { ContainerInspectInfo } from 'dockerode'
import type { Config } from '../../../src/config/config.ts'
import { loadConfig } from '../../../src/config/load.ts'
import { GATEWAY } from '../../../src/mark.ts'
import { prepareContainer } from '../../../src/runtime/container/prepare.ts'
import { startContainer } from '../../../src/runtime/container/start.ts'
import { EgressDoors } from '../../../src/runtime/egress/doors.ts'
import type { ToolProcess } from '../../../src/runtime/process.ts'
import type { StartOptions } from '../../../src/runtime/starting.ts'
import type { LogFields, Logger } from '../../../src/telemetry/log.ts'
import { createTelemetry } from '../../../src/telemetry/setup.ts'
import type { Declaration, Policy } from '../../../src/tool/declaration.ts'
import { NOTHING } from '../../../src/tool/nothing.ts'
import type { TestEngine } from '../../harness/engine.ts'
import { IMAGE } from '../../harness/engine.ts'
import type { LogLine, Owner } from '../../harness/gateway.ts'

export interface Ground {
  readonly config: Config
  readonly logs: LogLine[]
  /** What every start is given. */
  readonly options: StartOptions
}

/** A configuration for an engine, with folders of its own. */
export async function groundOf(
  owner: Owner,
  socket: string | null,
  outside: Partial<ConstructorParameters<typeof EgressDoors>[0]> = {},
): Promise<Ground> {
  const dir = mkdtempSync(join(tmpdir(), 'toolgate-container-'))
  const loaded = await loadConfig({
    cwd: dir,
    env: { PATH: process.env.PATH, TOOLGATE_CACHE: join(dir, 'cache') },
    flags: { tools: dir, workspace: join(dir, 'workspace') },
  })
  const config = { ...loaded.config, engine: { socket } }
  const logs: LogLine[] = []
  const log = logTo(logs)
  const telemetry = createTelemetry(config, new PassThrough())
  const { meters } = telemetry
  const egress = new EgressDoors({
    cache: config.cache,
    log,
    meters,
    ownPorts: () => [],
    ...outside,
  })
  owner.after(async () => {
    await egress.close()
    await telemetry.close()
    rmSync(dir, { recursive: true, force: true, maxRetries: 5 })
  })
  return { config, logs, options: { config, log, egress, instance: 'boxed.1' } }
}

export interface Started {
  readonly process: ToolProcess
  inspect(): Promise<ContainerInspectInfo>
  /** A request, and what answers it. */
  request(method: string, params?: unknown): Promise<Readonly<Record<string, unknown>>>
}

let instances = 0

/** Starts a container as the driver does; it is ended with its owner. */
export async function start(
  owner: Owner,
  { config, options }: Ground,
  engine: TestEngine,
  tool: Declaration,
  variables: Readonly<Record<string, string>> = {},
): Promise<Started> {
  instances += 1
  const instance = `${tool.name}.${instances}`
  if (tool.runtime.kind !== 'container') throw new Error('it is no container')
  const image = await prepareContainer(tool.runtime, { ...options, instance })
  const process = await startContainer(tool, image, {
    config,
    egress: options.egress,
    owner: undefined,
    signal: undefined,
    variables,
    line: config.sizes.line,
    patience: { stdin: 1_000, term: 1_000 },
    log: options.log,
    fields: { tool: tool.name, instance },
  })
  owner.after(async () => {
    await process.kill('the test ends')
  })
  const waiting = new Map<number, (message: Readonly<Record<string, unknown>>) => void>()
  process.read((message) => {
    const json = message.json() as { id?: number }
    waiting.get(json.id ?? 0)?.(json as Readonly<Record<string, unknown>>)
  })
  let last = 0
  return {
    process,
    inspect: () => engine.docker.getContainer(`toolgate-${GATEWAY}.${instance}`).inspect(),
    request(method, params = {}) {
      last += 1
      const answer = new Promise<Readonly<Record<string, unknown>>>((resolve) =>
        waiting.set(last, resolve),
      )
      const message = { jsonrpc: '2.0', id: last, method, params }
      process.send(Buffer.from(JSON.stringify(message)))
      return answer
    },
  }
}

/** A tool that is a fixture in the engine's image; `policy` relaxes the strictest one. */
export function boxed(
  fixture: string,
  policy: Partial<Omit<Policy, 'container'>> & { container?: Partial<Policy['container']> } = {},
  ...args: readonly string[]
): Declaration {
  const { container, ...given } = policy
  return {
    name: 'boxed',
    version: 'v1',
    file: '/tools/boxed.ts',
    description: 'A tool under test.',
    tags: [],
    runtime: { kind: 'container', image: IMAGE, args: [`/app/${fixture}.mjs`, ...args] },
    policy: { ...NOTHING, ...given, container: { ...NOTHING.container, ...container } },
    mode: 'launcher',
    timeout: null,
    idle: null,
    instances: { min: 0, max: 1 },
    warm: { spares: 0, initialized: false },
    limits: null,
    access: { scopes: [], roles: [] },
    era: null,
  }
}

/** Lines as they are written. */
export function logTo(lines: LogLine[], above: LogFields = {}): Logger {
  const line = (fields: LogFields, msg: string) => void lines.push({ ...above, ...fields, msg })
  const child = (fields: LogFields) => logTo(lines, { ...above, ...fields })
  return { debug: line, info: line, warn: line, error: line, child }
}
