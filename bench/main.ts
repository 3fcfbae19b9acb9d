// `npm run bench -- [--quick] [--only start,warm,eras,set-up,isolation,large,memory,leak,burst]
// [--peers] [--against FILE] [--targets NAMES] [--cpu-prof DIR]`. Ends with 0 whatever the speed, and
// with 1 when a message went wrong, a process was left, or the bench itself broke.
import { mkdir, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { burst } from './measure/burst.ts'
import { eras } from './measure/eras.ts'
import { isolation } from './measure/isolation.ts'
import { large } from './measure/large.ts'
import { leak } from './measure/leak.ts'
import type { Bench, Findings, Measure } from './measure/measure.ts'
import { memory } from './measure/memory.ts'
import { setUp } from './measure/set-up.ts'
import { start } from './measure/start.ts'
import { warm } from './measure/warm.ts'
import { type Report, toMarkdown, verdictOf } from './report/report.ts'
import { makeStamp } from './report/stamp.ts'
import { installPeers } from './targets/peers.ts'
import { makeSetting, modernTargetsOf, otherGateway, targetsOf } from './targets/targets.ts'

const MEASURES: Readonly<Record<string, Measure>> = {
  start,
  warm,
  eras,
  'set-up': setUp,
  isolation,
  large,
  memory,
  leak,
  burst,
}
const RESULTS = fileURLToPath(new URL('./results/', import.meta.url))

const { values: flags } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string', default: Object.keys(MEASURES).join(',') },
    targets: { type: 'string' },
    peers: { type: 'boolean', default: false },
    'cpu-prof': { type: 'string' },
    against: { type: 'string' },
  },
})

// Ctrl-C ends what was started: `exit` listeners kill every process group of the bench.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
process.exitCode = await bench()

async function bench(): Promise<number> {
  const names = flags.only.split(',')
  const unknown = names.find((name) => !Object.hasOwn(MEASURES, name))
  if (unknown !== undefined) {
    process.stderr.write(`--only knows ${Object.keys(MEASURES).join(', ')}, not ${unknown}.\n`)
    return 1
  }
  const setting = await makeSetting(flags['cpu-prof'] ?? null)
  process.once('exit', () => setting.remove())
  try {
    const { peers, skipped, versions } = flags.peers
      ? await installPeers(setting)
      : { peers: [], skipped: [], versions: {} }
    const others = flags.against === undefined ? [] : [otherGateway(flags.against, setting)]
    const chosen = flags.targets?.split(',')
    const targets = [...targetsOf(setting), ...others, ...peers].filter(
      ({ name }) => chosen?.includes(name) ?? true,
    )
    const stamp = makeStamp(process.argv.slice(2).join(' ') || '(none)', versions)
    const modern = modernTargetsOf(setting)
    const isolated = async () => (await import('./targets/isolated.ts')).startIsolated(setting)
    const findings = await measureAll(names, { targets, modern, isolated })
    const shown = [...targets, ...modern]
    return await write({
      ...findings,
      stamp,
      targets: shown,
      skipped: [...skipped, ...findings.skipped],
    })
  } finally {
    setting.remove()
  }
}

async function measureAll(
  names: readonly string[],
  parts: Pick<Bench, 'targets' | 'modern' | 'isolated'>,
): Promise<Findings & { broken: number; skipped: string[] }> {
  const all = { rows: [] as Findings['rows'][number][], goals: [] as Findings['goals'][number][] }
  const skipped: string[] = []
  let broken = 0
  const say = (words: string) => void process.stderr.write(`${words}\n`)
  for (const name of names) {
    const from = performance.now()
    say(name)
    try {
      const measure = MEASURES[name] as Measure
      const found = await measure({ ...parts, quick: flags.quick, say })
      all.rows.push(...found.rows)
      all.goals.push(...found.goals)
      skipped.push(...(found.skipped ?? []))
    } catch (error) {
      broken++
      say(String((error as Error).stack))
      skipped.push(`${name}: ${(error as Error).message}`)
    }
    say(`  ${((performance.now() - from) / 1000).toFixed(0)} s`)
  }
  return { ...all, broken, skipped }
}

async function write(report: Report & { broken: number }): Promise<number> {
  const { broken, ...kept } = report
  const text = toMarkdown(kept)
  const file = `${RESULTS}${report.stamp.date.slice(0, 10)}-${report.stamp.commit}`
  await mkdir(RESULTS, { recursive: true })
  await writeFile(`${file}.md`, text)
  await writeFile(
    `${file}.json`,
    `${JSON.stringify({ ...kept, targets: namesOf(kept) }, null, 2)}\n`,
  )
  process.stdout.write(`\n${text}\n${file}.md\n`)
  const wrong = report.goals.some((goal) => goal.correctness && verdictOf(goal) === 'short')
  return broken > 0 || wrong ? 1 : 0
}

function namesOf({ targets }: Report): Report['targets'] {
  return targets.map(({ name, label }) => ({ name, label }))
}
