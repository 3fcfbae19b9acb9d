import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { followPath, lookOnce } from '../../../src/runtime/cell/paths.ts'

const root = realpathSync(mkdtempSync(join(tmpdir(), 'toolgate-paths-')))
after(() => rmSync(root, { recursive: true, force: true }))
const at = (...names: string[]) => join(root, ...names)
mkdirSync(at('real', 'deep'), { recursive: true })
writeFileSync(at('real', 'file'), '')
symlinkSync('real', at('link'))
symlinkSync(at('nowhere'), at('dangling'))
symlinkSync('loop', at('loop'))

test('a path is followed to its end, and every place on the way told', async () => {
  const { real, places, there } = await followPath(`${at('link', 'deep')}/.././file`)
  assert.equal(real, at('real', 'file'))
  assert.equal(there, true)
  assert.deepEqual(
    places.filter((place) => place.startsWith(`${root}/`)),
    [at('link'), at('real'), at('real', 'deep'), at('real', 'file')],
  )
})

test('what is not there counts as no link, and is told', async () => {
  for (const path of ['gone', 'gone/below', 'real/file/below', 'dangling', 'dangling/below']) {
    const { real, there } = await followPath(at(path))
    assert.deepEqual([real, there], [at(path).replace('dangling', 'nowhere'), false])
  }
  const back = await followPath(`${at('gone')}/../link`)
  assert.deepEqual([back.real, back.there], [at('real'), true])
  assert.equal((await followPath('/')).there, true)
})

test('a loop of links ends', async () => {
  const { real, places } = await followPath(at('loop', 'below'))
  assert.equal(real, at('loop', 'below'))
  assert.ok(places.length < 60)
})

test('one that looks once sees what it saw', async () => {
  const look = lookOnce()
  const before = [at('link', 'later'), at('gone')]
  for (const path of before) assert.equal((await followPath(path, look)).there, false)
  mkdirSync(at('real', 'later'))
  try {
    assert.equal((await followPath(at('link', 'later'), look)).there, false)
    assert.equal((await followPath(at('link', 'later'))).there, true)
  } finally {
    rmSync(at('real', 'later'), { recursive: true })
  }
})
