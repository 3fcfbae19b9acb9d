import assert from 'node:assert/strict'
import { test } from 'node:test'
import { noEngine, startEngine } from '../harness/engine.ts'
import { messageIn, openSession } from '../harness/session.ts'
import { callRest } from '../harness/tool-view.ts'
import { until } from '../harness/until.ts'
import { allAnswer, noChaos, nothingLeft, openHouse, type Resident, toolsNamed } from './house.ts'
import { startLoad } from './load.ts'

const OTHERS = ['celled', 'pool', 'inline', 'leaves-bare']
const ALLOWED = new RegExp(`(?:${OTHERS.join('|')}): ok$|: (?:-32010|-32014|-32017|-32001)$`)

test('kill -9 the container engine under load: others go on, and it is as it was when it is back', {
  skip: noChaos || noEngine,
}, async (t) => {
  const engine = await startEngine(t)
  const house = openHouse(t, { tools: toolsNamed(...OTHERS), engine })
  const gateway = await house.start()
  await allAnswer(gateway, house.tools)
  const load = await startLoad(t, gateway.url, OTHERS)
  const boxed = await openSession(`${gateway.url}/mcp/boxed`)
  const call = { name: 'count', arguments: { wait: 60_000 } }
  const inFlight = await boxed.stream('tools/call', call, 1)

  // The groups of these are looked for from here on, whoever forgets them.
  assert.notDeepEqual((await boxes(gateway)).groups, [])
  await engine.kill()
  const failed = await inFlight.waitFor('the call to fail', ({ data }) => data !== '')
  const { error } = messageIn(failed)
  assert.deepEqual(error, {
    code: -32010,
    message: 'The tool is gone: the container engine does not answer.',
  })
  // A spare whose end is not seen yet may be tried before.
  await until('starts to be refused', async () => {
    const { status, text } = await callRest(gateway, 'boxed', 'count')
    assert.match(text, /the container engine does not answer|failed just now/)
    return status === 503 && text.includes('no_cell')
  })
  await allAnswer(gateway, OTHERS)

  await engine.restart()
  await boxedAnswers(gateway)
  const counts = await load.counts()
  assert.deepEqual(
    Object.keys(counts).filter((each) => !ALLOWED.test(each)),
    [],
  )
  await until(
    'the spare alone to be left',
    async () => isAlone(await boxes(gateway)),
    20_000,
  ).catch(async (error: Error) =>
    assert.fail(`${error.message}: ${JSON.stringify(await boxes(gateway))}`),
  )

  // While it is gone again nothing can be removed by this gateway, nor by the next one at first.
  await engine.kill()
  gateway.signal('SIGTERM')
  assert.equal(await gateway.exit, 0)
  const next = await house.start()
  await next.waitForLog('that to be told', ({ msg }) => msg === 'orphans cannot be looked after')
  await engine.restart()
  await nothingLeft(gateway, Date.now() + 10_000)
  await allAnswer(next, OTHERS)
  await boxedAnswers(next)
})

/** An engine that is back is noticed by who asks for it. */
async function boxedAnswers(gateway: Resident): Promise<void> {
  const answers = async () => (await callRest(gateway, 'boxed', 'count')).status === 200
  await until('containers to answer again', answers, 15_000)
}

type Boxes = Awaited<ReturnType<typeof boxes>>

/** One container, its network with the bridge of that, and its group. */
function isAlone({ containers, networks, groups }: Boxes): boolean {
  return containers.length === 1 && networks.length === 2 && groups.length === 1
}

/** What is there for containers. */
async function boxes({ remains }: Resident) {
  const { containers, networks, cgroups } = await remains()
  const ids = cgroups.flatMap((path) => /docker\/(\w+)$/.exec(path)?.[1] ?? [])
  return { containers, networks, groups: [...new Set(ids)] }
}
