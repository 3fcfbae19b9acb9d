import assert from 'node:assert/strict'
import { readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fixture } from '../harness/fixtures.ts'
import { isAlive, marked } from '../harness/processes.ts'
import { absent } from '../harness/services.ts'
import { errorOf, openSession, type Session } from '../harness/session.ts'
import { toolView } from '../harness/tool-view.ts'
import { until } from '../harness/until.ts'
import { besiege, neighbourAnswers } from './house.ts'

const skip = absent('bwrap') || absent('python3')
const FIXTURES = new URL('../fixtures', import.meta.url).pathname
const bounded = {
  sandbox: 'required',
  workspace: 'read-write',
  files: { read: [FIXTURES] },
  memory: '192MB',
  processes: 40,
}
const tool = (name: string, ...args: string[]) => ({
  command: fixture(name, ...args),
  policy: bounded,
})

const besieged = skip
  ? undefined
  : await besiege(
      { after },
      {
        config: {
          sessions: { resume: '2s' },
          cells: { tmp: '16MB', disk: '32MB' },
          timeouts: { stdin: '300ms', term: '500ms', call: '20s' },
        },
        tools: {
          bombs: tool('runs-scripts'),
          floods_stdout: tool('floods-stdout'),
          floods_stderr: tool('floods-stderr'),
          endless_line: tool('endless-line'),
          ignores_term: tool('ignores-term'),
        },
      },
    )

async function attack(run: (session: Session) => Promise<void>, name = 'bombs'): Promise<void> {
  if (besieged === undefined) return
  const session = await openSession(`${besieged.gateway.url}/mcp/${name}`)
  try {
    await run(session)
  } finally {
    await session.end()
  }
  assert.ok(await neighbourAnswers(besieged))
}

const python = async (session: Session, script: string) =>
  JSON.parse(await session.callText('python', { script }))
const sh = async (session: Session, script: string) =>
  JSON.parse(await session.callText('sh', { script }))

test('a fork bomb runs into its bound, and a neighbour answers meanwhile', { skip }, () =>
  attack(async (session) => {
    const bomb = `import os, time
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
    const { said } = await python(session, bomb)
    assert.ok(Number(said) < 40, said)
    assert.ok(besieged && (await neighbourAnswers(besieged)))
  }),
)

test('a memory bomb is ended, and the log says why', { skip }, () =>
  attack(async (session) => {
    const params = {
      name: 'python',
      arguments: { script: 'held = []\nwhile True: held.append(bytearray(1 << 20))' },
    }
    // The kernel may end what allocates most first, and the tool may still say so.
    const answer = JSON.stringify(await session.request('tools/call', params))
    assert.match(answer, /SIGKILL|used more than its memory \(192 MB\)/)
    await besieged?.gateway.waitForLog('its end, with the reason', ({ tool, msg, reason }) => {
      const ended = tool === 'bombs' && msg === 'instance ended by itself'
      return ended && /used more than its memory \(192 MB\)/.test(String(reason))
    })
  }),
)

test('a disk bomb fills its own /tmp, and no more', { skip }, () =>
  attack(async (session) => {
    const { said } = await sh(session, 'head -c 100M /dev/zero > /tmp/full; stat -c %s /tmp/full')
    assert.match(said, /No space left on device/)
    assert.ok(Number(/^\d+$/m.exec(said)?.[0]) <= 16 * 2 ** 20, said)
  }),
)

test('a tool that fills its workspace is ended, and its caller is told why', { skip }, () =>
  attack(async (session) => {
    const script = 'while true; do head -c 8M /dev/zero >> /workspace/full; sleep 0.05; done'
    const answer = await session.request('tools/call', { name: 'sh', arguments: { script } })
    assert.match(errorOf(answer).message, /32 MB/)
    const folder = join(besieged?.gateway.workspace ?? '', 'bombs')
    assert.ok(statSync(join(folder, 'full')).size < 400 * 2 ** 20)
    // As long as it is there, every process of the tool is ended.
    rmSync(join(folder, 'full'))
  }),
)

for (const [name, run] of [
  ['floods_stdout', 'flood'],
  ['floods_stderr', 'flood'],
  ['endless_line', 'begin'],
] as const) {
  test(`${name} harms nobody, and ends with its session`, { skip }, async () => {
    if (besieged === undefined) return
    const { gateway } = besieged
    const session = await openSession(`${gateway.url}/mcp/${name}`)
    const flooding = session.request('tools/call', { name: run, arguments: {} }).catch(() => {})
    assert.ok(await neighbourAnswers(besieged))
    await session.end()
    await flooding
    await until('it to be gone', async () => (await toolView(gateway, name)).instances === 0)
    assert.ok(await neighbourAnswers(besieged))
  })
}

test('what ignores TERM, and what it daemonised, is gone soon after its session', {
  skip,
}, async () => {
  if (besieged === undefined) return
  const { gateway } = besieged
  const stubborn = await openSession(`${gateway.url}/mcp/ignores_term`)
  const session = await openSession(`${gateway.url}/mcp/bombs`)
  const name = `daemon-${process.pid}`
  const daemon = `import os, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execvp("sh", ["sh", "-c", "trap '' TERM HUP; sleep 600; : ${name}"])
    os._exit(0)`
  await python(session, daemon)
  await until('the daemon to run', () => marked(name).length > 0)
  await session.end()
  await stubborn.end()
  await until(
    'all to be gone',
    async () => {
      const counts = [await toolView(gateway, 'bombs'), await toolView(gateway, 'ignores_term')]
      return marked(name).length === 0 && counts.every(({ instances }) => instances === 0)
    },
    3_000,
  )
  assert.ok(await neighbourAnswers(besieged))
})

test('whoever kills all it can reach ends itself alone', { skip }, async () => {
  if (besieged === undefined) return
  const session = await openSession(`${besieged.gateway.url}/mcp/bombs`)
  const params = { name: 'sh', arguments: { script: 'kill -KILL -1' } }
  await session.request('tools/call', params).catch(() => {})
  assert.ok(isAlive(besieged.house.neighbourPid))
  assert.ok(await neighbourAnswers(besieged))
})

test('no control group is left of any of them', { skip }, async () => {
  if (besieged === undefined) return
  const { gateway } = besieged
  await until('all to be gone', async () => (await toolView(gateway, 'bombs')).instances === 0)
  const folders = ['memory', 'pids'].map((name) => `/sys/fs/cgroup/${name}`)
  const left = () =>
    folders.flatMap((folder) => {
      try {
        return readdirSync(folder, { recursive: true }).filter((name) =>
          String(name).includes('bombs'),
        )
      } catch {
        return []
      }
    })
  await until('the groups to be gone', () => left().length === 0, 5_000)
})
