import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { fixture } from '../harness/fixtures.ts'
import { absent } from '../harness/services.ts'
import { openSession, type Session } from '../harness/session.ts'
import { ATTACKS, assertRepelled } from './attacks.ts'
import { besiege, neighbourAnswers } from './house.ts'

const skip = absent('bwrap') || absent('python3')
const FIXTURES = new URL('../fixtures', import.meta.url).pathname
const celled = {
  command: fixture('runs-scripts'),
  policy: { sandbox: 'required', workspace: 'read-write', files: { read: [FIXTURES] } },
}

const besieged = skip ? undefined : await besiege({ after }, { tools: { attacker: celled } })
let session: Session

test('a tool in a cell gets through nowhere', { skip }, async (t) => {
  if (besieged === undefined) return
  const { gateway, house } = besieged
  session = await openSession(`${gateway.url}/mcp/attacker`)
  for (const attack of ATTACKS) {
    await t.test(attack.title, async () => {
      const script = attack.script(house)
      assertRepelled(JSON.parse(await session.callText(attack.by, { script })).said, attack)
    })
  }
  assert.ok(await neighbourAnswers(besieged))
})
