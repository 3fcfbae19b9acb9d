import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { after, test } from 'node:test'
import { fixture } from '../harness/fixtures.ts'
import { absent } from '../harness/services.ts'
import { openSession } from '../harness/session.ts'
import { toolView } from '../harness/tool-view.ts'
import { ATTACKS, assertRepelled } from './attacks.ts'
import { besiege, neighbourAnswers } from './house.ts'

/**
 * A gateway of a user without any rights, on a machine without control groups that it may write. It
 * is given a root in which the checkout can be reached, wherever it lies.
 */
function asNobody(dir: string): string[] {
  execFileSync('chown', ['-R', '65534:65534', dir])
  const links = ['bin', 'sbin', 'lib', 'lib64'].filter((name) => existsSync(`/usr/${name}`))
  const node = dirname(dirname(process.execPath))
  return [
    ...['bwrap', '--die-with-parent', '--ro-bind', '/usr', '/usr', '--ro-bind', '/etc', '/etc'],
    ...links.flatMap((name) => ['--symlink', `usr/${name}`, `/${name}`]),
    ...['--dev-bind', '/dev', '/dev', '--bind', '/proc', '/proc', '--tmpfs', '/tmp'],
    ...[ROOT, node, dir].flatMap((path) => foldersAbove(path).flatMap((each) => ['--dir', each])),
    ...['--ro-bind', ROOT, ROOT, '--ro-bind', node, node, '--bind', dir, dir, '--'],
    ...['setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups', '--'],
  ]
}

/** Made by itself, bubblewrap lets root alone enter them. */
function foldersAbove(path: string): string[] {
  const above = dirname(path)
  return above === '/' ? [] : [...foldersAbove(above), above]
}

const ROOT = join(import.meta.dirname, '../..')
const skip =
  process.getuid?.() === 0
    ? absent('bwrap') || absent('python3') || absent('prlimit') || absent('setpriv')
    : 'only root can become somebody else'
const FIXTURES = new URL('../fixtures', import.meta.url).pathname
const policy = {
  sandbox: 'required',
  workspace: 'read-write',
  files: { read: [FIXTURES] },
  memory: '192MB',
  processes: 40,
}
const besieged = skip
  ? undefined
  : await besiege(
      { after },
      {
        within: asNobody,
        tools: {
          attacker: { command: fixture('runs-scripts'), policy },
          slow: { command: fixture('echo'), policy: { ...policy, cpus: 0.5 } },
        },
      },
    )

test('a tool of a gateway that is not root gets through nowhere either', { skip }, async (t) => {
  if (besieged === undefined) return
  const { gateway, house } = besieged
  const session = await openSession(`${gateway.url}/mcp/attacker`)
  const { said } = JSON.parse(await session.callText('sh', { script: 'id -u' }))
  assert.equal(said.trim(), '65534')
  for (const attack of ATTACKS) {
    await t.test(attack.title, async () => {
      const script = attack.script(house)
      assertRepelled(JSON.parse(await session.callText(attack.by, { script })).said, attack)
    })
  }
  await session.end()
  assert.ok(await neighbourAnswers(besieged))
})

for (const [what, script] of [
  ['memory', 'held = []\nwhile True: held.append(bytearray(1 << 20))'],
  [
    'processes',
    'import os, time\nwhile True:\n  try: os.fork()\n  except OSError: time.sleep(0.1)',
  ],
] as const) {
  test(`without control groups a bomb of ${what} is held or ended all the same`, {
    skip,
  }, async () => {
    if (besieged === undefined) return
    const session = await openSession(`${besieged.gateway.url}/mcp/attacker`)
    const bomb = session.request('tools/call', { name: 'python', arguments: { script } })
    assert.ok(await neighbourAnswers(besieged))
    const ended = bomb.then(JSON.stringify, String)
    if (what === 'memory') assert.match(await ended, /memory|MemoryError|SIGKILL/)
    await session.end()
    await ended
    assert.ok(await neighbourAnswers(besieged))
  })
}

test('a bound that cannot be kept here keeps the tool from starting', { skip }, async () => {
  if (besieged === undefined) return
  const { sandbox, lastError } = await toolView(besieged.gateway, 'slow')
  assert.equal(sandbox, 'bubblewrap')
  assert.match(JSON.stringify(lastError), /cpus cannot be limited on this host/)
})
