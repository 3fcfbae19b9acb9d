import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { imageDigest } from '../../../src/runtime/container/image.ts'
import { containerCellOf, prepareContainer } from '../../../src/runtime/container/prepare.ts'
import { noEngine, startEngine, type TestEngine } from '../../harness/engine.ts'
import type { Owner } from '../../harness/gateway.ts'
import { boxed, type Ground, groundOf } from './given.ts'
import { type Registry, startRegistry } from './registry.ts'

const options = { skip: noEngine }
const ends: (() => Promise<void>)[] = []
const file: Owner = { after: (end) => void ends.push(end) }
let engine: TestEngine
let ground: Ground
let registry: Registry

before(async () => {
  if (noEngine) return
  engine = await startEngine(file)
  ground = await groundOf(file, engine.socket)
  registry = await startRegistry(file, () => said('image pull').length === 0)
})
after(async () => {
  for (const end of ends.reverse()) await end()
})

const said = (msg: string) => ground.logs.filter((line) => line.msg === msg)
const pulled = (image: string) => ({ kind: 'container' as const, image, args: [] })

test('a pull tells how far it is, and the image is shown by digest', options, async () => {
  const name = `${registry.host}/team/tool`
  const runtime = pulled(`${name}:1`)
  const tool = { ...boxed('echo'), runtime }
  const imageLine = async () => {
    const { lines } = await containerCellOf(tool, ground.config)
    return lines.find(({ what }) => what === 'image')?.rule
  }
  assert.equal(await imageLine(), 'not pulled yet')
  const { program } = await prepareContainer(runtime, ground.options)

  const about = { image: `${name}:1`, instance: 'boxed.1' }
  assert.deepEqual(said('image is being pulled'), [{ ...about, msg: 'image is being pulled' }])
  const [progress] = said('image pull')
  const { bytes, ...told } = progress ?? {}
  assert.deepEqual(told, { ...about, msg: 'image pull', layers: 2, done: 1 })
  assert.ok(Number(bytes) > 100_000 && Number(bytes) < registry.size, `${bytes} bytes`)
  const [{ ms } = {}] = said('image pulled')
  assert.ok(Number(ms) >= 5_000, `${ms} ms`)

  assert.equal(program, registry.id)
  assert.equal(imageDigest({ runtime }), `${name}@${registry.digest}`)
  assert.equal(await imageLine(), `${name}@${registry.digest}`)
})

test('what is shown names the image as well, and pulls the same', options, async () => {
  await engine.docker.getImage(registry.id).remove({ force: true })
  registry.asked.length = 0
  const before = said('image pulled').length
  const runtime = pulled(`${registry.host}/team/tool@${registry.digest}`)
  const { program } = await prepareContainer(runtime, ground.options)
  assert.equal(program, registry.id)
  assert.equal(imageDigest({ runtime }), runtime.image)
  assert.equal(said('image pulled').length, before + 1)
  // By nothing else; an engine may have the manifest of that digest yet, and need not ask.
  const other = registry.asked.filter((each) => each !== `team/tool ${registry.digest}`)
  assert.deepEqual(other, [])
})

test('one image under two names is shown by the one that the tool gives', options, async () => {
  // Engines list them by name, whichever is asked for.
  for (const repository of ['team/tool', 'team/other', 'team/tool']) {
    const name = `${registry.host}/${repository}`
    for (const image of [name, `${name}:1`, `${name}@${registry.digest}`]) {
      const runtime = pulled(image)
      const { program } = await prepareContainer(runtime, ground.options)
      assert.equal(program, registry.id)
      assert.equal(imageDigest({ runtime }), `${name}@${registry.digest}`)
    }
  }
})
