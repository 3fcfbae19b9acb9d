import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { fixture } from '../harness/fixtures.ts'
import { absent } from '../harness/services.ts'
import { openSession, type Session } from '../harness/session.ts'
import { ATTACKS, MISSING, TREASURE } from './attacks.ts'
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
  for (const { title, by, script, through = /(?!)/ } of ATTACKS) {
    await t.test(title, async () => {
      const { said } = JSON.parse(await session.callText(by, { script: script(house) }))
      assert.doesNotMatch(said, new RegExp(`THROUGH|${TREASURE}`))
      assert.doesNotMatch(said, through)
      assert.match(said, /^ENDED$/m)
      assert.doesNotMatch(said, MISSING)
    })
  }
  assert.ok(await neighbourAnswers(besieged))
})
