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

/** Self time by what `nameOf` makes of a frame, with its share of all time that was not idle. */
function topOf(profile: Profile, nameOf: (frame: Frame) => string, count: number): string[] {
  const frames = new Map(profile.nodes.map(({ id, callFrame }) => [id, callFrame]))
  const times = new Map<string, number>()
  profile.samples.forEach((id, at) => {
    const frame = frames.get(id)
    if (frame === undefined || frame.functionName === '(idle)') return
    const name = nameOf(frame)
    times.set(name, (times.get(name) ?? 0) + (profile.timeDeltas[at] ?? 0))
  })
  const total = [...times.values()].reduce((sum, time) => sum + time, 0)
  return [...times]
    .sort(([, a], [, b]) => b - a)
    .slice(0, count)
    .map(([name, time]) => {
      const share = ((time / total) * 100).toFixed(1).padStart(5)
      return `${share} % ${(time / 1000).toFixed(0).padStart(6)} ms  ${name}`
    })
}

function functionOf(frame: Frame): string {
  const { functionName, url, lineNumber } = frame
  if (url === '') return functionName
  return `${functionName || '(anonymous)'} ${placeOf(frame)}:${lineNumber + 1}`
}

/** A file of ours, a package, or Node itself; what has no file is native. */
function placeOf({ functionName, url }: Frame): string {
  if (url === '') return `native ${functionName}`
  if (url.startsWith('node:')) return url
  return url.replace(/^.*\/(?=src\/|bench\/|node_modules\/)/, '')
}

function roomOf(frame: Frame): string {
  const place = placeOf(frame)
  const [first, second, third] = place.split('/')
  if (place.startsWith('node:')) return 'node itself'
  if (first !== 'src' && first !== 'node_modules') return place
  return second?.startsWith('@') ? `${second}/${third}` : `${first}/${second}`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [folder = '.', count = '40'] = process.argv.slice(2)
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.cpuprofile'))) {
    const profile: Profile = JSON.parse(readFileSync(join(folder, file), 'utf8'))
    const lists = [topOf(profile, roomOf, 25), topOf(profile, functionOf, Number(count))]
    process.stdout.write(`${file}\n${lists.map((list) => list.join('\n')).join('\n\n')}\n\n`)
  }
}
