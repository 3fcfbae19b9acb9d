import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { fixture } from '../harness/fixtures.ts'
import { absent } from '../harness/services.ts'
import { openSession } from '../harness/session.ts'
import { toolView } from '../harness/tool-view.ts'
import { asUser } from '../harness/users.ts'
import { ATTACKS, assertRepelled, GOT_THROUGH } from './attacks.ts'
import { besiege, neighbourAnswers } from './house.ts'

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
/** Attacks of which nothing but the cell keeps a user without rights, on a machine that lets those do them. */
const NEED_NO_MORE = new Set([
  'reads the gateway’s environment',
  'reads the gateway’s memory',
  'reads the gateway’s configuration',
  'reads another tool’s folder',
  'lists processes of others',
  'writes outside',
  'makes namespaces',
  'traces a process (101)',
  'makes a user namespace (272)',
  'reaches the kernel’s keyrings (250)',
  'adds a key (248)',
  'sets up io_uring (425)',
  'connects to an abstract socket',
  'connects to a service on the host’s loopback',
  'connects to the gateway',
])
const besieged = skip
  ? undefined
  : await besiege(
      { after },
      {
        within: (dir) => asUser(65_534, dir),
        tools: {
          attacker: { command: fixture('runs-scripts'), policy },
          loose: { command: fixture('runs-scripts'), policy: { sandbox: 'none' } },
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

test('without a cell the same attacks get through', { skip }, async (t) => {
  if (besieged === undefined) return
  const { gateway, house } = besieged
  const session = await openSession(`${gateway.url}/mcp/loose`)
  const attacks = ATTACKS.filter(({ title }) => NEED_NO_MORE.has(title))
  assert.equal(attacks.length, NEED_NO_MORE.size)
  for (const attack of attacks) {
    await t.test(attack.title, async () => {
      const script = attack.script(house)
      const { said } = JSON.parse(await session.callText(attack.by, { script }))
      assert.match(said, GOT_THROUGH)
      assert.match(said, /^ENDED$/m)
    })
  }
  await session.end()
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
