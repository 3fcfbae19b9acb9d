import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { test } from 'node:test'
import { type EngineFacts, findEngine } from '../../../src/runtime/container/engine.ts'
import { ContainerMeter } from '../../../src/runtime/container/meter.ts'
import { listen, say } from './fake-engine.ts'

const PODMAN = [{ Name: 'Podman Engine' }]
const ALL = { memory: true, swap: true, cpus: true, processes: true }
const NONE = { memory: false, swap: false, cpus: false, processes: false }

/** What engines say of themselves, in short, and what is made of it. */
const ENGINES: Record<string, [info: object, components: object[], facts: Partial<EngineFacts>]> = {
  Docker: [
    { CgroupVersion: '2', CgroupDriver: 'systemd', SecurityOptions: ['name=seccomp,profile=x'] },
    [{ Name: 'Engine' }],
    { podman: false, rootless: false, cgroup: 2, groups: true, bounds: ALL, seccomp: true },
  ],
  'Docker that cannot limit swap': [
    { CgroupVersion: '1', CgroupDriver: 'cgroupfs', SwapLimit: false },
    [],
    { groups: true, bounds: { ...ALL, swap: false }, seccomp: false },
  ],
  'rootless Docker without control groups': [
    { CgroupVersion: '1', CgroupDriver: 'none', SecurityOptions: ['name=rootless'] },
    [],
    { rootless: true, groups: false, bounds: NONE },
  ],
  'Podman with version 2, which it describes as if it were 1': [
    { CgroupVersion: '2', CgroupDriver: 'systemd', CpuCfsQuota: false, SwapLimit: false },
    PODMAN,
    { podman: true, groups: true, bounds: ALL },
  ],
  'rootless Podman with systemd': [
    { CgroupVersion: '2', CgroupDriver: 'systemd', Rootless: true },
    PODMAN,
    { rootless: true, groups: true, bounds: ALL },
  ],
  'rootless Podman without systemd, which promises much': [
    { CgroupVersion: '2', CgroupDriver: 'cgroupfs', Rootless: true, MemoryLimit: true },
    PODMAN,
    { rootless: true, groups: false, bounds: NONE },
  ],
  'rootless Podman with version 1, which promises much': [
    { CgroupVersion: '1', CgroupDriver: 'systemd', Rootless: true, MemoryLimit: true },
    PODMAN,
    { rootless: true, groups: false, bounds: NONE },
  ],
}

for (const [name, [info, Components, facts]] of Object.entries(ENGINES)) {
  test(`what is believed of ${name}`, async (t) => {
    const engine = createServer((req, res) => {
      const version = { ApiVersion: '1.41', Components }
      say(res, 200, req.url?.endsWith('/version') ? version : info)
    })
    const socket = await listen(t, engine)
    const found = await findEngine({ engine: { socket }, environment: {} })
    const named = Object.keys(facts) as (keyof EngineFacts)[]
    assert.deepEqual(Object.fromEntries(named.map((each) => [each, found.facts[each]])), facts)
    assert.equal(found.facts.elsewhere, process.platform !== 'linux')
  })
}

test('without control groups an engine is not asked what a container uses', async (t) => {
  const asked: string[] = []
  const [info] = ENGINES['rootless Docker without control groups'] ?? []
  const engine = createServer((req, res) => {
    asked.push(String(req.url))
    say(res, 200, req.url?.endsWith('/version') ? { ApiVersion: '1.41' } : info)
  })
  const socket = await listen(t, engine)
  const meter = new ContainerMeter(await findEngine({ engine: { socket }, environment: {} }), 'any')
  meter.soon()
  await meter.looked()
  meter.end()
  assert.equal(meter.usage, null)
  assert.ok(!asked.some((url) => url.includes('stats')), asked.join())
})
