import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import type { TestEngine } from '../harness/engine.ts'
import type { Owner } from '../harness/gateway.ts'
import { openSession, type Session } from '../harness/session.ts'
import { ATTACKS, assertRepelled } from './attacks.ts'
import { type Besieged, besiege, neighbourAnswers } from './house.ts'
import { ARMED } from './image.ts'

/** What containers are judged by differently. */
const DIFFERENT: Readonly<Record<string, RegExp>> = {
  // The engine's own: the paths of its storage, and the files it mounts, are seen in /proc/mounts.
  'sees paths of the host': /(?!)/,
}

const BOUNDED = `workspace: 'read-write', memory: '192MB', processes: 40`

/** Attackers in containers of an engine that has the image of `armImage`. */
export function besiegeBoxed(
  owner: Owner,
  { socket }: Pick<TestEngine, 'socket'>,
): Promise<Besieged> {
  return besiege(owner, {
    config: {
      engine: { socket },
      sessions: { resume: '2s' },
      cells: { tmp: '16MB', disk: '32MB' },
      timeouts: { stdin: '300ms', term: '500ms', call: '20s' },
    },
    tools: {
      attacker: source('runs-scripts'),
      floods_stdout: source('floods-stdout'),
      floods_stderr: source('floods-stderr'),
      ignores_term: source('ignores-term'),
    },
  })
}

function source(script: string): string {
  return `import { container, defineTool } from 'toolgate'
export default defineTool({
  description: 'An attacker.',
  runtime: container('${ARMED}', '/app/${script}.mjs'),
  policy: { ${BOUNDED} },
})
`
}

/** What one of them says after a script. */
export async function run(session: Session, by: string, script: string) {
  return JSON.parse(await session.callText(by, { script }))
}

/** Every attack, each a test of its own. */
export async function attackAll(t: TestContext, besieged: Besieged): Promise<void> {
  const { gateway, house } = besieged
  const session = await openSession(`${gateway.url}/mcp/attacker`)
  for (const attack of ATTACKS) {
    await t.test(attack.title, async () => {
      const { said } = await run(session, attack.by, attack.script(house))
      assertRepelled(said, attack, DIFFERENT[attack.title])
    })
  }
  await session.end()
  assert.ok(await neighbourAnswers(besieged))
}
