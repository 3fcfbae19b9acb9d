// Links of README.md and docs/ lead to files and headings that are there, and the npm scripts and
// toolgate commands they name exist.
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
const { COMMANDS } = await import('../src/cli/commands.ts')
const BUILT_IN = ['start', 'test', 'ci', 'install', 'run', 'exec', 'view', 'version']

const files = globSync(['README.md', 'docs/**/*.md'], { cwd: ROOT })
const mistakes = files.flatMap((name) => {
  const file = join(ROOT, name)
  return readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((line, index) => mistakesOf(file, line).map((text) => `${name}:${index + 1}: ${text}`))
})
for (const mistake of mistakes) console.error(mistake)
process.exitCode = mistakes.length === 0 ? 0 : 1

function mistakesOf(file, line) {
  const links = [...line.matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, link]) => brokenLink(file, link))
  const runs = [...line.matchAll(/\bnpm run ([\w:-]+)/g)]
    .filter(([, name]) => !Object.hasOwn(scripts, name))
    .map(([, name]) => `there is no script "${name}"`)
  const npms = [...line.matchAll(/(?:^|`)npm ([a-z]+)/g)]
    .filter(([, name]) => !BUILT_IN.includes(name))
    .map(([, name]) => `"npm ${name}" is no command`)
  const commands = [...line.matchAll(/(?:npx |`)toolgate ([a-z]+)/g)]
    .filter(([, name]) => !Object.hasOwn(COMMANDS, name))
    .map(([, name]) => `toolgate has no command "${name}"`)
  return [...links, ...runs, ...npms, ...commands]
}

function brokenLink(file, link) {
  if (/^[a-z]+:/i.test(link)) return []
  const [path, heading] = link.split('#')
  const target = path === '' ? file : join(dirname(file), path)
  if (!existsSync(target)) return [`${link} leads to ${relative(ROOT, target)}, which is not there`]
  if (!heading || headingsOf(target).includes(heading)) return []
  return [`${link}: ${relative(ROOT, target)} has no such heading`]
}

/** As GitHub makes anchors of them. */
function headingsOf(file) {
  return [...readFileSync(file, 'utf8').matchAll(/^#{1,6} (.+)$/gm)].map(([, text]) =>
    text
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replaceAll(' ', '-'),
  )
}
