import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { fixture } from '../harness/fixtures.ts'
import { absent } from '../harness/services.ts'
import { openSession } from '../harness/session.ts'
import { toolView } from '../harness/tool-view.ts'
import { asUser } from '../harness/users.ts'
import { ATTACKS, assertRepelled } from './attacks.ts'
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
const besieged = skip
  ? undefined
  : await besiege(
      { after },
      {
        within: (dir) => asUser(65_534, dir),
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
