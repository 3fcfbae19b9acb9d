import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fixture } from '../harness/fixtures.ts'
import { startGateway } from '../harness/gateway.ts'
import { isAlive } from '../harness/processes.ts'
import { raw } from '../harness/raw.ts'
import { initialize, openSession } from '../harness/session.ts'
import { until } from '../harness/until.ts'

const gateway = await startGateway(
  { after },
  { tools: { counts: { command: fixture('counts-calls'), mode: 'daemon' } } },
)
const mcp = (tool: string) => `${gateway.url}/mcp/${tool}`

const says = (text: string, name = 'say') => `import { defineTool, fn, inline } from 'toolgate'
import { z } from 'zod'

export default defineTool({
  description: 'Says one thing.',
  runtime: inline({
    ${name}: fn({
      description: 'Says it.',
      input: z.object({}),
      output: z.object({ said: z.string() }),
      run: async () => ({ said: ${text} }),
    }),
  }),
})
`
const ask = async (tool: string, name = 'say') => {
  const reply = await raw(`${gateway.url}/v1/tools/${tool}/${name}`, { method: 'POST', body: {} })
  return reply.status === 200 ? reply.json().said : reply.status
}

test('a new file is served within 2 s over MCP, REST and /openapi.json', async () => {
  // The first request over REST loads that face, file or no file.
  await raw(`${gateway.url}/openapi.json`)
  const times: number[] = []
  // What else the machine does may delay one of them.
  for (const name of ['fresh', 'fresher', 'freshest']) {
    gateway.tools.write(name, says('"new"'))
    const since = performance.now()
    await until('REST', async () => (await ask(name)) === 'new', 5000)
    await until('MCP', async () => (await initialize(mcp(name))).status === 200, 5000)
    await until('the contract', async () => {
      return (await raw(`${gateway.url}/openapi.json`)).text.includes(`/v1/tools/${name}/say`)
    })
    times.push(performance.now() - since)
  }
  const [, median = Number.NaN] = times.toSorted((a, b) => a - b)
  assert.ok(median < 2000, `served after ${times} ms`)
})

test('an edit replaces it, a running session finishes on the old version', async () => {
  gateway.tools.write('edited', says('"old"'))
  await until('the first version', async () => (await ask('edited')) === 'old', 5000)
  const running = await openSession(mcp('edited'))
  assert.match(await running.callText('say'), /old/)
  gateway.tools.write('edited', says('"changed"'))
  await until('the second version', async () => (await ask('edited')) === 'changed', 2500)
  assert.match(await running.callText('say'), /old/)
  const later = await openSession(mcp('edited'))
  assert.match(await later.callText('say'), /changed/)
  await Promise.all([running.end(), later.end()])
})

test('an edit of a helper it imports replaces it too', async () => {
  const helper = join(gateway.tools.dir, '_words.ts')
  writeFileSync(helper, "export const word = 'first'\n")
  gateway.tools.write('helped', `import { word } from './_words.ts'\n${says('word')}`)
  await until('the first word', async () => (await ask('helped')) === 'first', 5000)
  writeFileSync(helper, "export const word = 'second'\n")
  await until('the second word', async () => (await ask('helped')) === 'second', 2500)
})

test('other tools keep their processes', async () => {
  const session = await openSession(mcp('counts'))
  const { pid } = JSON.parse(await session.callText('count'))
  gateway.tools.write('another', says('"x"'))
  await until('the other one', async () => (await ask('another')) === 'x', 5000)
  gateway.tools.write('another', says('"y"'))
  await until('the other one', async () => (await ask('another')) === 'y', 5000)
  assert.equal(JSON.parse(await session.callText('count')).pid, pid)
  await session.end()
})

test('a broken file keeps the last good version, and says what is wrong and where', async () => {
  gateway.tools.write('breaks', says('"good"'))
  await until('it', async () => (await ask('breaks')) === 'good', 5000)
  for (const [source, shown] of [
    [`${says('"bad"')}\n)`, /breaks\.ts/],
    [
      "import { defineTool } from 'toolgate'\nexport default defineTool({ description: 7 })\n",
      /description/,
    ],
    ['throw new Error("not today")\n', /not today/],
    ['process.exit(4)\n', /4|exit/],
  ] as const) {
    gateway.tools.write('breaks', source)
    const entry = await until(
      'its mistake',
      async () => {
        const { text } = await raw(`${gateway.url}/v1/tools/breaks`)
        const view = JSON.parse(text)
        return shown.test(JSON.stringify(view.lastError ?? '')) ? view : undefined
      },
      15_000,
    )
    assert.equal(entry.state, 'broken')
    assert.equal(await ask('breaks'), 'good')
    gateway.tools.write('breaks', says('"good"'))
    await until(
      'it to be whole',
      async () => {
        return JSON.parse((await raw(`${gateway.url}/v1/tools/breaks`)).text).state === 'ready'
      },
      15_000,
    )
  }
})

test('a file that loops at import holds nothing up, and the next edit of it counts at once', async () => {
  gateway.tools.write('loops', says('"good"'))
  await until('it', async () => (await ask('loops')) === 'good', 5000)
  gateway.tools.write('loops', 'while (true) {}\n')
  gateway.tools.write('beside', says('"fine"'))
  await until('another', async () => (await ask('beside')) === 'fine', 4000)
  assert.equal(await ask('loops'), 'good')
  gateway.tools.write('loops', says('"better"'))
  await until('the next version', async () => (await ask('loops')) === 'better', 4000)
})

test('a removed file is 404, its sessions go on, and nothing is left once they have ended', async () => {
  gateway.tools.write('leaves', { command: fixture('counts-calls') })
  const session = await until('it', async () => {
    return (await initialize(mcp('leaves'))).status === 200 ? openSession(mcp('leaves')) : undefined
  })
  const { pid } = JSON.parse(await session.callText('count'))
  gateway.tools.remove('leaves')
  await until('404', async () => (await initialize(mcp('leaves'))).status === 404, 5000)
  assert.equal(JSON.parse(await session.callText('count')).pid, pid)
  await session.end()
  await until('the process to be gone', () => !isAlive(pid), 8000)
})
