import assert from 'node:assert/strict'
import { rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { noEngine, startEngine } from '../harness/engine.ts'
import { absent } from '../harness/services.ts'
import { errorOf, openSession } from '../harness/session.ts'
import { toolView } from '../harness/tool-view.ts'
import { until } from '../harness/until.ts'
import { attackAll, besiegeBoxed, run } from './boxed.ts'
import { neighbourAnswers } from './house.ts'
import { armImage } from './image.ts'

const skip = noEngine || absent('python3') || absent('ldd')
const ends: (() => Promise<void>)[] = []
const owner = { after: (end: () => Promise<void>) => void ends.push(end) }
after(async () => {
  for (const end of ends.reverse()) await end()
})

const besieged = skip ? undefined : await besiegeBoxed(owner, await startEngine(owner, armImage))

test('a tool in a container gets through nowhere', { skip }, async (t) => {
  if (besieged !== undefined) await attackAll(t, besieged)
})

test('bombs in containers are held or ended, and neighbours answer', { skip }, async (t) => {
  if (besieged === undefined) return
  const { gateway } = besieged
  await t.test('forks', async () => {
    const session = await openSession(`${gateway.url}/mcp/attacker`)
    const script = `import os, time
born = 0
for _ in range(1000):
    try:
        if os.fork() == 0:
            time.sleep(30)
            os._exit(0)
        born += 1
    except OSError:
        break
print(born)`
    const { said } = await run(session, 'python', script)
    assert.ok(Number(said) < 40, said)
    assert.ok(await neighbourAnswers(besieged))
    await session.end()
  })
  await t.test('memory', async () => {
    const session = await openSession(`${gateway.url}/mcp/attacker`)
    const script = 'held = []\nwhile True: held.append(bytearray(1 << 20))'
    const params = { name: 'python', arguments: { script } }
    const answer = await session.request('tools/call', params)
    const said = 'error' in answer ? errorOf(answer).message : JSON.stringify(answer)
    assert.match(said, /memory \(192 MB\)|SIGKILL/)
    assert.ok(await neighbourAnswers(besieged))
    await session.end()
  })
  await t.test('disk', async () => {
    const session = await openSession(`${gateway.url}/mcp/attacker`)
    const { said } = await run(session, 'sh', 'head -c 100M /dev/zero > /tmp/full')
    assert.match(said, /No space left on device/)
    await session.end()
  })
  await t.test('disk of the workspace', async () => {
    const session = await openSession(`${gateway.url}/mcp/attacker`)
    const script = 'while true; do head -c 8M /dev/zero >> /workspace/full; sleep 0.05; done'
    const answer = await session.request('tools/call', { name: 'sh', arguments: { script } })
    assert.match(errorOf(answer).message, /32 MB/)
    const full = join(gateway.workspace, 'attacker/full')
    assert.ok(statSync(full).size < 400 * 2 ** 20)
    rmSync(full)
    assert.ok(await neighbourAnswers(besieged))
    await session.end()
  })
  for (const name of ['floods_stdout', 'floods_stderr']) {
    await t.test(name, async () => {
      const session = await openSession(`${gateway.url}/mcp/${name}`)
      const flooding = session
        .request('tools/call', { name: 'flood', arguments: {} })
        .catch(() => {})
      assert.ok(await neighbourAnswers(besieged))
      await session.end()
      await flooding
    })
  }
  await t.test('what ignores TERM, and what was daemonised', async () => {
    const stubborn = await openSession(`${gateway.url}/mcp/ignores_term`)
    const session = await openSession(`${gateway.url}/mcp/attacker`)
    await run(session, 'sh', 'setsid sh -c "sleep 600 & sleep 600" > /dev/null 2>&1 &')
    await Promise.all([session.end(), stubborn.end()])
    const gone = async (tool: string) => (await toolView(gateway, tool)).instances === 0
    await until(
      'all to be gone',
      async () => (await gone('attacker')) && (await gone('ignores_term')),
    )
  })
  assert.ok(await neighbourAnswers(besieged))
})
