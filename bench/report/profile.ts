// Reads the profiles that `--cpu-prof` left: `node bench/report/profile.ts DIR [COUNT]`.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

interface Profile {
  readonly nodes: readonly { readonly id: number; readonly callFrame: Frame }[]
  readonly samples: readonly number[]
  readonly timeDeltas: readonly number[]
}

interface Frame {
  readonly functionName: string
  readonly url: string
  readonly lineNumber: number
}

/** Functions by their self time, and its share of all time that was not idle. */
export function topOf(profile: Profile, count: number): string[] {
  const frames = new Map(profile.nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]))
  const times = new Map<string, number>()
  profile.samples.forEach((id, at) => {
    const name = frames.get(id) ?? ''
    times.set(name, (times.get(name) ?? 0) + (profile.timeDeltas[at] ?? 0))
  })
  times.delete('(idle)')
  const total = [...times.values()].reduce((sum, time) => sum + time, 0)
  return [...times]
    .sort(([, a], [, b]) => b - a)
    .slice(0, count)
    .map(([name, time]) => {
      const share = ((time / total) * 100).toFixed(1).padStart(5)
      return `${share} % ${(time / 1000).toFixed(0).padStart(6)} ms  ${name}`
    })
}

function nameOf({ functionName, url, lineNumber }: Frame): string {
  if (url === '') return functionName
  const place = url.replace(/^.*\/(?=src\/|node_modules\/)/, '')
  return `${functionName || '(anonymous)'} ${place}:${lineNumber + 1}`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [folder = '.', count = '40'] = process.argv.slice(2)
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.cpuprofile'))) {
    const profile: Profile = JSON.parse(readFileSync(join(folder, file), 'utf8'))
    process.stdout.write(`${file}\n${topOf(profile, Number(count)).join('\n')}\n\n`)
  }
}
