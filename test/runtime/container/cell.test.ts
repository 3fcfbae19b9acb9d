import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import type { Config } from '../../../src/config/config.ts'
import { ToolgateError } from '../../../src/errors.ts'
import { GATEWAY } from '../../../src/mark.ts'
import { resolveContainerCell } from '../../../src/runtime/container/cell.ts'
import { containerCellOf } from '../../../src/runtime/container/prepare.ts'
import { noEngine, startEngine, type TestEngine } from '../../harness/engine.ts'
import type { Owner } from '../../harness/gateway.ts'
import { textOf } from '../../harness/session.ts'
import { boxed, type Ground, groundOf, type Started, start } from './given.ts'

const options = { skip: noEngine }
const ends: (() => Promise<void>)[] = []
const file: Owner = { after: (end) => void ends.push(end) }
let engine: TestEngine
let ground: Ground

before(async () => {
  if (noEngine) return
  engine = await startEngine(file)
  ground = await groundOf(file, engine.socket)
})
after(async () => {
  for (const end of ends.reverse()) await end()
})

test('a container that is given nothing is held by every line of its cell', options, async (t) => {
  const started = await start(t, ground, engine, boxed('looks-around'))
  const { HostConfig: host, Config: config } = await started.inspect()
  assert.equal(host.Privileged, false)
  assert.equal(host.NetworkMode, 'none')
  assert.equal(host.ReadonlyRootfs, true)
  assert.deepEqual(host.CapDrop, ['ALL'])
  assert.deepEqual(host.CapAdd ?? [], [])
  const [plain, filter, ...more] = host.SecurityOpt ?? []
  assert.deepEqual([plain, more], ['no-new-privileges', []])
  assert.match(filter ?? '', /^seccomp=\{"defaultAction".*"ptrace".*"io_uring_setup"/)
  assert.equal(host.Init, true)
  assert.equal(host.AutoRemove, true)
  assert.equal(host.IpcMode, 'private')
  assert.equal(host.PidMode, '')
  assert.equal(host.PidsLimit, 256)
  assert.equal(host.Memory, 2 ** 30)
  assert.equal(host.MemorySwap, 2 ** 30)
  assert.equal(host.ShmSize, 64 * 2 ** 20)
  assert.deepEqual(host.LogConfig, { Type: 'none', Config: {} })
  assert.match(host.Tmpfs?.['/tmp'] ?? '', /^rw,nosuid,nodev,noexec,size=67108864,mode=1777,uid=2/)
  // The image wants a volume there, which would have no bound.
  assert.match(host.Tmpfs?.['/data'] ?? '', /size=67108864/)
  assert.deepEqual([host.Binds ?? [], host.Mounts ?? [], host.Devices ?? []], [[], [], []])
  assert.match(config.User, /^2\d{6}:2\d{6}$/)
  assert.deepEqual([config.Tty, config.OpenStdin, config.StdinOnce], [false, true, true])
  assert.deepEqual(config.Healthcheck?.Test, ['NONE'])
  const { 'toolgate.instance': mark, ...labels } = config.Labels
  assert.match(String(mark), new RegExp(`^${GATEWAY}\\.boxed\\.\\d+$`))
  assert.deepEqual(labels, { 'toolgate.gateway': GATEWAY, 'toolgate.tool': 'boxed' })
  assert.deepEqual(config.Env, ['HOME=/tmp', `X_TOOLGATE_INSTANCE=${mark}`])
})

test('what is denied is denied to the program itself', options, async (t) => {
  const started = await start(t, ground, engine, boxed('looks-around'))
  const status = await call(started, 'status')
  assert.match(status, /^Uid:\s+2\d{6}\s/m)
  assert.match(status, /^NoNewPrivs:\s+1$/m)
  assert.match(status, /^CapEff:\s+0{16}$/m)
  assert.match(status, /^CapBnd:\s+0{16}$/m)
  assert.match(status, /^Seccomp:\s+2$/m)
  assert.match(await call(started, 'write', { path: '/etc/mine' }), /^(EROFS|EACCES)$/)
  assert.equal(await call(started, 'write', { path: '/tmp/mine' }), 'written')
  assert.equal(await call(started, 'fill', { path: '/tmp/much', megabytes: 80 }), 'ENOSPC')
  assert.equal(await call(started, 'fill', { path: '/data/much', megabytes: 80 }), 'ENOSPC')
  assert.equal(await call(started, 'read', { path: engine.socket }), 'ENOENT')
  const there = await call(started, 'connect', { host: '1.1.1.1', port: 80 })
  assert.match(there, /^(ENETUNREACH|EADDRNOTAVAIL)$/)
})

test('each line is relaxed by the file, and by nothing else', options, async (t) => {
  const tool = boxed('looks-around', {
    network: 'host',
    memory: 128 * 2 ** 20,
    cpus: 0.5,
    processes: 40,
    env: ['PATH', 'NOT_THERE'],
    container: {
      readOnly: false,
      capAdd: ['NET_BIND_SERVICE'],
      capDrop: ['CHOWN'],
      securityOpt: ['seccomp=unconfined'],
      tmpfs: ['/cache:exec,size=1m'],
      user: '1234:5678',
    },
  })
  const started = await start(t, ground, engine, tool, { TOKEN: 'open sesame' })
  const { HostConfig: host, Config: config, Args } = await started.inspect()
  assert.equal(host.Privileged, false)
  assert.equal(host.NetworkMode, 'host')
  assert.equal(host.ReadonlyRootfs, false)
  assert.deepEqual(host.CapDrop, ['CHOWN'])
  assert.deepEqual(host.CapAdd, ['NET_BIND_SERVICE'])
  assert.deepEqual(host.SecurityOpt, ['no-new-privileges', 'seccomp=unconfined'])
  assert.equal(host.Memory, 128 * 2 ** 20)
  assert.equal(host.MemorySwap, 128 * 2 ** 20)
  assert.equal(host.NanoCpus, 5e8)
  assert.equal(host.PidsLimit, 40)
  assert.equal(host.Tmpfs?.['/cache'], 'rw,nosuid,nodev,mode=1777,uid=1234,gid=5678,exec,size=1m')
  assert.equal(config.User, '1234:5678')
  const mark = config.Labels['toolgate.instance']
  assert.deepEqual(config.Env.sort(), [
    'HOME=/tmp',
    `PATH=${process.env.PATH}`,
    'TOKEN=open sesame',
    `X_TOOLGATE_INSTANCE=${mark}`,
  ])
  const elsewhere = JSON.stringify([config.Labels, config.Cmd, Args, ground.logs])
  assert.ok(!elsewhere.includes('open sesame'))
  assert.equal(await call(started, 'whoami'), '1234:5678 /')
  assert.ok(Number(await call(started, 'fork')) < 40)
})

test('its folder is mounted as the file says, and belongs to its user', options, async (t) => {
  for (const access of ['read-only', 'read-write'] as const) {
    const workspace = { access, per: 'tool' as const }
    const started = await start(t, ground, engine, boxed('looks-around', { workspace }))
    const [user, folder] = (await call(started, 'whoami')).split(' ')
    assert.match(String(user), /^2\d{6}:2\d{6}$/)
    assert.equal(folder, '/workspace')
    const wrote = await call(started, 'write', { path: '/workspace/file' })
    assert.equal(wrote, access === 'read-only' ? 'EROFS' : 'written')
    const { Mounts, Config: config } = await started.inspect()
    assert.deepEqual(
      Mounts.map(({ Destination, RW }) => [Destination, RW]),
      [['/workspace', access === 'read-write']],
    )
    assert.ok(config.Env.includes(access === 'read-write' ? 'HOME=/workspace' : 'HOME=/tmp'))
  }
})

test('files are mounted at their own paths, to read or to write', options, async (t) => {
  const dir = place(t)
  for (const name of ['read', 'write']) {
    mkdirSync(join(dir, name), { mode: 0o777 })
    writeFileSync(join(dir, name, 'file'), 'there', { mode: 0o666 })
  }
  const [read, write] = [join(dir, 'read'), join(dir, 'write')]
  const tool = boxed('looks-around', {
    files: { read: [read], write: [write] },
    container: { user: '0' },
  })
  const started = await start(t, ground, engine, tool)
  assert.equal(await call(started, 'read', { path: join(read, 'file') }), 'there')
  assert.equal(await call(started, 'write', { path: join(read, 'file') }), 'EROFS')
  assert.equal(await call(started, 'write', { path: join(write, 'file') }), 'written')
})

test('the socket of an engine is never mounted, by whatever name', options, async (t) => {
  const dir = place(t)
  const link = join(dir, 'innocent')
  symlinkSync(engine.socket, link)
  const folder = join(dir, 'folder')
  symlinkSync(dirname(engine.socket), folder)
  const paths = [engine.socket, dirname(engine.socket), tmpdir(), '/', link, folder]
  for (const path of paths) {
    for (const files of [
      { read: [path], write: [] },
      { read: [], write: [path] },
    ]) {
      const tool = boxed('echo', { files })
      await assert.rejects(start(t, ground, engine, tool), (error: ToolgateError) => {
        assert.equal(error.code, 'no_cell')
        assert.match(error.message, NEVER, path)
        return true
      })
      const { refusals } = await containerCellOf(tool, ground.config)
      assert.match(String(refusals), NEVER)
    }
  }
  // Not even as the folder of a tool, below a workspace that was put there.
  const config = { ...ground.config, workspace: dirname(dirname(engine.socket)) }
  const workspace = { access: 'read-only' as const, per: 'tool' as const }
  const tool = {
    ...boxed('echo', { workspace }),
    name: dirname(engine.socket).split('/').pop() ?? '',
  }
  await assert.rejects(start(t, { ...ground, config }, engine, tool), ToolgateError)
  assert.deepEqual(await engine.containers(), [])
})

test('no file makes a container a privileged one', options, async (t) => {
  const forms = [
    { securityOpt: ['privileged'] },
    { securityOpt: ['privileged=true'] },
    { capAdd: ['ALL'] },
    { capAdd: ['cap_all'] },
  ]
  for (const container of forms) {
    const tool = boxed('echo', { container, sandbox: 'none' })
    await assert.rejects(
      start(t, ground, engine, tool),
      /would make the container a privileged one/,
    )
  }
  assert.deepEqual(await engine.containers(), [])
})

test('every line of the cell says what enforces it', options, async () => {
  const { config } = ground
  const cell = await containerCellOf(boxed('echo', { memory: 2 ** 28, cpus: 2 }), config)
  assert.equal(cell.kind, 'container')
  assert.deepEqual(cell.refusals, [])
  const line = (what: string) => cell.lines.find((each) => each.what === what)
  assert.deepEqual(line('image')?.rule, engine.image)
  assert.deepEqual(line('network'), { what: 'network', rule: 'none', by: 'engine: NetworkMode' })
  assert.equal(line('memory')?.rule, 'at most 256 MB, with no swap')
  assert.equal(line('memory')?.by, 'engine: Memory, MemorySwap')
  assert.equal(line('processors')?.rule, 'at most 2')
  assert.equal(line('privileged')?.rule, 'never')
  assert.deepEqual(
    cell.lines.filter(({ by }) => by === null),
    [],
  )
})

test('what an engine cannot enforce keeps a tool from starting, unless its file lets it go', () => {
  const weak = {
    api: 41,
    rootless: true,
    cgroup: 1 as const,
    groups: false,
    bounds: { memory: false, swap: false, cpus: false, processes: false },
    seccomp: false,
    podman: false,
    elsewhere: false,
  }
  const config = {
    cells: {
      memory: 2 ** 30,
      processes: 9,
      tmp: 1,
      disk: 1,
      users: { first: 2_000_000, last: 2_000_001 },
    },
    cache: '/cache',
    sandbox: 'required',
  } satisfies Pick<Config, 'cache' | 'cells' | 'sandbox'>
  const cell = resolveContainerCell(boxed('echo', { cpus: 1 }), config, weak)
  assert.equal(cell.refusals.length, 3)
  assert.equal(cell.host.Memory, undefined)
  const unenforced = cell.lines.filter(({ by }) => by === null).map(({ what }) => what)
  assert.deepEqual(unenforced, ['system calls', 'memory', 'processes and threads', 'processors'])
  const loose = resolveContainerCell(boxed('echo', { cpus: 1, sandbox: 'none' }), config, weak)
  assert.deepEqual(loose.refusals, [])
})

test('what a writable workspace may hold is a line of the cell', options, () => {
  const { config } = ground
  const lineOf = (access: 'read-only' | 'read-write') => {
    const tool = boxed('echo', { workspace: { access, per: 'tool' } })
    const { lines } = resolveContainerCell(tool, config)
    return lines.find(({ what }) => what === 'disk in the workspace')
  }
  const by = 'a watchdog that ends the tool'
  assert.deepEqual(lineOf('read-write'), {
    what: 'disk in the workspace',
    rule: 'at most 1 GB',
    by,
  })
  assert.equal(lineOf('read-only'), undefined)
})

test('a user by name and a workspace do not go together', options, async (t) => {
  const workspace = { access: 'read-write', per: 'tool' } as const
  const tool = boxed('echo', { workspace, container: { user: 'node' } })
  const why = /policy\.user names node, .*user: '1000:1000'/
  assert.match(String((await containerCellOf(tool, ground.config)).refusals), why)
  await assert.rejects(start(t, ground, engine, tool), why)
  assert.deepEqual(await engine.containers(), [])
})

const NEVER = /(socket|the kernel’s own), which no tool is given|which is never mounted/

async function call(started: Started, name: string, args: object = {}): Promise<string> {
  return textOf(await started.request('tools/call', { name, arguments: args }))
}

function place(t: { after(end: () => void): void }): string {
  const dir = mkdtempSync(join(tmpdir(), 'toolgate-files-'))
  t.after(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}
