import { createHash } from 'node:crypto'
import { Writable } from 'node:stream'
import type { Caller } from '../../src/call/caller.ts'
import type { Config, Key } from '../../src/config/config.ts'
import { createTelemetry } from '../../src/telemetry/setup.ts'
import type { Telemetry } from '../../src/telemetry/telemetry.ts'
import type { Declaration } from '../../src/tool/declaration.ts'
import { NOTHING } from '../../src/tool/nothing.ts'

export type GuardConfig = Pick<
  Config,
  'listen' | 'hosts' | 'origins' | 'keys' | 'unauthenticated' | 'limits'
>

export function configWith(more: Partial<GuardConfig> & { host?: string } = {}): GuardConfig {
  const { host = '127.0.0.1', ...rest } = more
  return {
    listen: { host, port: 8080, metrics: null, metricsHost: '127.0.0.1' },
    hosts: [],
    origins: [],
    keys: [],
    unauthenticated: false,
    limits: { calls: 1000, per: 60_000, burst: 0 },
    ...rest,
  }
}

export function keyOf(id: string, secret: string, more: Partial<Key> = {}): Key {
  const hash = `sha256:${createHash('sha256').update(secret).digest('hex')}`
  return { id, hash, roles: [], scopes: [], ...more }
}

export function toolWith(more: Partial<Declaration> = {}): Declaration {
  return {
    name: 'clock',
    version: '1',
    file: '/tools.d/clock.ts',
    description: 'Tell the time.',
    tags: [],
    runtime: { kind: 'inline', functions: [] },
    policy: NOTHING,
    mode: 'daemon',
    timeout: null,
    idle: null,
    instances: { min: 0, max: 1 },
    warm: { spares: 0, initialized: false },
    limits: null,
    access: { scopes: [], roles: [] },
    era: null,
    ...more,
  }
}

export function callerWith(more: Partial<Caller> = {}): Caller {
  return { id: 'someone', anonymous: false, roles: [], scopes: [], ...more }
}

export function quietTelemetry(): Telemetry {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  return createTelemetry(
    { telemetry: { endpoint: null, sample: 1 }, log: { level: 'error' } },
    nowhere,
  )
}
