import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { emptyFolder, toolgate } from './toolgate.ts'

const GOOD = `import { command, defineTool } from 'toolgate'

export default defineTool({ description: 'Says it again.', runtime: command('cat') })
`

test('check lists the tools of a folder without mistakes, and exits 0', async (t) => {
  const folder = emptyFolder(t)
  write(folder, 'tools.d/echo.ts', GOOD)
  const { code, stdout, stderr } = await toolgate(folder, ['check'])
  assert.deepEqual([code, stderr], [0, ''])
  assert.match(stdout, /^echo +command +Says it again\.$/m)
  assert.match(stdout, /^1 tool, no mistakes$/m)
})

test('check prints the mistakes of the configuration and of all files at once, and exits 1', async (t) => {
  const folder = emptyFolder(t)
  write(folder, 'config/gateway.yaml', 'timeouts:\n  call: 30\n')
  write(folder, 'tools.d/good.ts', GOOD)
  write(folder, 'tools.d/syntax.ts', 'export default {\n  a: ,\n}\n')
  write(folder, 'tools.d/wrong.ts', GOOD.replace('description:', "timeout: '5', description:"))
  const { code, stdout, stderr } = await toolgate(folder, ['check'])
  assert.equal(code, 1)
  assert.equal(stdout, '')
  const place = (path: string) => join(folder, path).replaceAll('.', '\\.')
  assert.match(stderr, new RegExp(`^${place('config/gateway.yaml')}:2:9 timeouts\\.call: `, 'm'))
  assert.match(stderr, new RegExp(`^${place('tools.d/syntax.ts')}:2`, 'm'))
  const wrong = `^${place('tools.d/wrong.ts')}:3:29 timeout: found "5"; expected a duration [^;]+$`
  assert.match(stderr, new RegExp(wrong, 'm'))
  assert.doesNotMatch(stderr, /good\.ts/)
})

test('check asks no container engine, and warns of none', async (t) => {
  const folder = emptyFolder(t)
  write(folder, 'tools.d/image.ts', GOOD.replaceAll('command', 'container'))
  const { code, stdout, stderr } = await toolgate(folder, ['check'])
  assert.equal(code, 0)
  assert.match(stdout, /^image {2}container {2}/m)
  assert.doesNotMatch(stderr, /image\.ts/)
})

test('check reads where secrets come from, never them: neither they nor their sources are told', async (t) => {
  const folder = emptyFolder(t)
  const withSecret = (source: string) =>
    GOOD.replace('runtime:', `policy: { secrets: { TOKEN: '${source}' } }, runtime:`)
  write(folder, 'token', 'kept-to-itself')
  write(folder, 'tools.d/file.ts', withSecret(`file:${join(folder, 'token')}`))
  write(folder, 'tools.d/elsewhere.ts', withSecret('mounted:not-on-this-machine'))
  const good = await toolgate(folder, ['check'])
  assert.deepEqual([good.code, good.stderr], [0, ''])
  assert.doesNotMatch(good.stdout, /kept-to-itself|TOKEN|mounted/)
  write(folder, 'tools.d/wrong.ts', withSecret('kept-to-itself'))
  const bad = await toolgate(folder, ['check'])
  assert.equal(bad.code, 1)
  assert.match(
    bad.stderr,
    /wrong\.ts:\S+ policy\.secrets\.TOKEN: it is no source; expected a source: /,
  )
  assert.doesNotMatch(bad.stderr, /kept-to-itself/)
})

test('check says so where there is no tools folder', async (t) => {
  const folder = emptyFolder(t)
  const { code, stderr } = await toolgate(folder, ['check', '--tools', 'none'])
  assert.equal(code, 1)
  assert.match(stderr, /none: there is no such folder/)
})

test('check says nothing of the tools folder where it could not be read which that is', async (t) => {
  const folder = emptyFolder(t)
  write(folder, 'config/gateway.yaml', 'listen: {\n')
  const { code, stderr } = await toolgate(folder, ['check'])
  assert.equal(code, 1)
  assert.match(stderr, /not YAML/)
  assert.doesNotMatch(stderr, /tools\.d/)
})

function write(folder: string, name: string, text: string): void {
  mkdirSync(join(folder, name, '..'), { recursive: true })
  writeFileSync(join(folder, name), text)
}
