import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { ToolgateError } from '../../../src/errors.ts'
import { resolveContainerCell } from '../../../src/runtime/container/cell.ts'
import { clearContainers } from '../../../src/runtime/container/clear.ts'
import { Filter, FilterError, findFilters } from '../../../src/runtime/container/iptables.ts'
import { containerCellOf } from '../../../src/runtime/container/prepare.ts'
import { somethingLeft } from '../../../src/runtime/container/remove.ts'
import { buildWall, clearWalls, findWalls } from '../../../src/runtime/container/wall.ts'
import { noEngine, startEngine } from '../../harness/engine.ts'
import type { Owner } from '../../harness/gateway.ts'
import { absent } from '../../harness/services.ts'
import { boxed, type Ground, groundOf, start } from './given.ts'
import { ourRules } from './rules.ts'

const options = { skip: noEngine || absent('iptables') }
const SERVICES = 'services of this machine on all of its addresses'

test('without root or iptables there are no filters, and that is said', async () => {
  if (process.getuid?.() !== 0 || process.platform !== 'linux') {
    assert.match(String(await findFilters({})), /not root|need Linux/)
    return
  }
  assert.equal(await findFilters({ PATH: '/nowhere' }, []), 'iptables is not installed')
})

test('engines whose networks are not this machine’s get no wall', async () => {
  const facts = { rootless: true } as never
  assert.match(String(await findWalls({ socket: '/x', facts }, {})), /rootless/)
  assert.match(String(await findWalls({ socket: null, facts }, {})), /over TCP/)
})

test('the cell says what keeps services away, or that the tool does not start', () => {
  const config = { cache: '/cache', cells: CELLS, sandbox: 'required' } as const
  const cellOf = (sandbox: 'required' | 'none', noWall: string | null) =>
    resolveContainerCell(
      boxed('echo', { network: 'egress', sandbox }),
      config,
      undefined,
      null,
      noWall,
    )
  const line = ({ lines }: ReturnType<typeof cellOf>) => lines.find(({ what }) => what === SERVICES)
  const good = cellOf('required', null)
  assert.deepEqual(line(good), { what: SERVICES, rule: 'not reached', by: 'iptables' })
  assert.deepEqual(good.refusals, [])
  const bad = cellOf('required', 'iptables is not installed')
  assert.equal(line(bad)?.by, null)
  assert.match(String(bad.refusals), /iptables is not installed; give the gateway root and ipt/)
  const waived = cellOf('none', 'iptables is not installed')
  assert.equal(line(waived)?.by, null)
  assert.deepEqual(waived.refusals, [])
})

test(
  'where iptables does not work a tool is refused, unless its file lets it go',
  options,
  async (t) => {
    const ends: (() => Promise<void>)[] = []
    const last: Owner = { after: (end) => void ends.unshift(end) }
    t.after(async () => {
      for (const end of ends) await end()
    })
    const engine = await startEngine(last)
    const ground = withPath(await groundOf(last, engine.socket), broken(t))
    const { config } = ground
    await assert.rejects(
      start(last, ground, engine, boxed('echo', { network: 'egress' })),
      (error: ToolgateError) => {
        assert.equal(error.code, 'no_cell')
        assert.match(error.message, /iptables does not work here: it is broken; .*network: 'none'/)
        return true
      },
    )
    const { refusals, lines } = await containerCellOf(boxed('echo', { network: 'egress' }), config)
    assert.match(String(refusals), /iptables does not work here: it is broken/)
    assert.equal(lines.find(({ what }) => what === SERVICES)?.by, null)
    await start(last, ground, engine, boxed('echo', { network: 'none' }))
    const waived = boxed('looks-around', { network: 'egress', sandbox: 'none' })
    const { request } = await start(last, ground, engine, waived)
    await request('ping')
    assert.deepEqual(ourRules(), [])
  },
)

test(
  'rules of dead gateways are cleared, a neighbour’s and other people’s stay',
  options,
  async (t) => {
    const [dead, alive] = ['00dead00dead0001', '00a11fe00a11fe01']
    const places = [
      ['iptables', ['-d', '192.0.2.1', '-p', 'tcp', '--dport', '80']],
      ['ip6tables', []],
    ] as const
    const set = (program: string, chain: string, words: readonly string[]) => {
      execFileSync(program, ['-w', '-I', chain, '1', ...words])
      t.after(() => {
        try {
          execFileSync(program, ['-w', '-D', chain, ...words], { stdio: 'ignore' })
        } catch {
          // It is cleared.
        }
      })
    }
    const mark = (gateway: string) => ['-m', 'comment', '--comment', `toolgate:${gateway}`]
    for (const [program, more] of places) {
      for (const gateway of [dead, alive]) {
        set(program, 'INPUT', ['-i', 'tgtest0', ...mark(gateway), '-j', 'DROP'])
        set(program, 'FORWARD', ['-i', 'tgtest0', ...mark(gateway), '-j', 'DROP'])
        set(program, 'INPUT', ['-i', 'tgtest0', ...more, ...mark(gateway), '-j', 'ACCEPT'])
      }
      set(program, 'INPUT', [
        '-i',
        'tgtest0',
        '-m',
        'comment',
        '--comment',
        `not ${dead}`,
        '-j',
        'DROP',
      ])
    }
    // Of a bridge that is there something may still run behind it.
    set('iptables', 'INPUT', ['-i', 'lo', '-s', '192.0.2.1', ...mark(dead), '-j', 'DROP'])
    const environment = { PATH: process.env.PATH }
    const gone = new Set([dead])
    await assert.rejects(clearWalls(gone, environment), /still there: lo/)
    assert.equal(ourRules(dead).length, 1)
    execFileSync('iptables', ['-w', '-D', ...(ourRules(dead)[0] ?? [])])
    set('iptables', 'INPUT', ['-i', 'tgtest0', ...mark(dead), '-j', 'DROP'])
    const { config, options } = await groundOf(t, '/nowhere/engine.sock')
    await clearContainers(config, gone, { log: options.log, meters: { reaped() {} } as never })
    for (const program of ['iptables', 'ip6tables']) {
      assert.deepEqual(ourRules(dead, program), [])
      assert.equal(ourRules(alive, program).length, 3)
      const all = execFileSync(program, ['-w', '-S'], { encoding: 'utf8' })
      assert.ok(all.includes(`not ${dead}`))
    }
  },
)

test('a wall that cannot stand leaves nothing of itself', options, async (t) => {
  const filters = await findFilters({ PATH: process.env.PATH })
  assert.ok(typeof filters !== 'string')
  await assert.rejects(buildWall(filters, 'a-name-that-no-interface-can-have'))
  const half = [...filters.slice(0, 1), new Filter(join(broken(t), 'iptables'))]
  await assert.rejects(buildWall(half, 'tgtest1'), FilterError)
  assert.deepEqual(ourRules(), [])
  assert.equal(somethingLeft(), false)
})

const CELLS = {
  memory: 2 ** 30,
  processes: 9,
  tmp: 1,
  disk: 1,
  users: { first: 2_000_000, last: 2_000_001 },
}

const withPath = ({ config, ...rest }: Ground, folder: string): Ground => {
  const PATH = `${folder}:${config.environment.PATH}`
  const changed = { ...config, environment: { ...config.environment, PATH } }
  return { ...rest, config: changed, options: { ...rest.options, config: changed } }
}

/** A folder with an iptables that does nothing but say so. */
function broken(t: { after(end: () => void): void }): string {
  const folder = mkdtempSync(join(tmpdir(), 'toolgate-iptables-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const program = join(folder, 'iptables')
  writeFileSync(program, '#!/bin/sh\necho "it is broken." >&2\nexit 4\n')
  chmodSync(program, 0o755)
  return folder
}
