// Loaded first in each process whose coverage is measured (`--import`). Hundreds of them load the
// same TypeScript files, and taking the types out of them is most of what their start would cost:
// here that is done once for each state of a file. Node compiles what comes of it as ever: of what
// comes out of its compile cache it is not known which lines ran, so that is off, for what is
// started from here as well.
import { hash } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { registerHooks, stripTypeScriptTypes } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = new URL('../../', import.meta.url).href
const KEPT = fileURLToPath(new URL('node_modules/.cache/toolgate-stripped/', ROOT))
const OURS = ['src/', 'test/', 'bench/', 'tools.d/'].map((folder) => ROOT + folder)

if (process.env.NODE_V8_COVERAGE !== undefined) process.env.NODE_DISABLE_COMPILE_CACHE = '1'

registerHooks({
  load(url, context, next) {
    if (!url.endsWith('.ts') || !OURS.some((folder) => url.startsWith(folder))) {
      return next(url, context)
    }
    const text = readFileSync(fileURLToPath(url), 'utf8')
    return { format: 'module', source: find(url, text) ?? strip(url, text), shortCircuit: true }
  },
})

/** One file for each module, whose first line says of what it was made. */
function pathOf(url) {
  return join(KEPT, `${hash('sha256', url).slice(0, 16)}.js`)
}

function stateOf(text) {
  return `// ${process.version} ${hash('sha256', text)}`
}

function find(url, text) {
  try {
    const kept = readFileSync(pathOf(url), 'utf8')
    const first = kept.indexOf('\n')
    return kept.slice(0, first) === stateOf(text) ? kept.slice(first + 1) : undefined
  } catch {
    return undefined
  }
}

function strip(url, text) {
  // To the letter as Node does it: of two texts of one file coverage would be nonsense.
  const source = stripTypeScriptTypes(text, { mode: 'strip', sourceUrl: url })
  const draft = `${pathOf(url)}.${process.pid}`
  try {
    mkdirSync(KEPT, { recursive: true })
    writeFileSync(draft, `${stateOf(text)}\n${source}`)
    renameSync(draft, pathOf(url))
  } catch {
    // Another user's, who may only read.
  }
  return source
}
