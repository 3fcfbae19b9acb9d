import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { watchDisk } from '../../../src/runtime/limits/disk.ts'
import { type MeasureOptions, measureFolder } from '../../../src/runtime/limits/measure.ts'
import { absent } from '../../harness/services.ts'
import { until } from '../../harness/until.ts'

const MB = 2 ** 20
const linux = { skip: process.platform === 'linux' ? false : 'needs Linux' }

test('a folder is as large as what it takes of the disk', linux, async (t) => {
  const folder = folderOf(t)
  mkdirSync(join(folder, 'a/b/c'), { recursive: true })
  writeFileSync(join(folder, 'a/b/c/file'), Buffer.alloc(3 * MB, 1))
  const { bytes, entries, hidden } = await measure(folder)
  assert.ok(bytes >= 3 * MB && bytes < 4 * MB, `${bytes}`)
  assert.deepEqual({ entries, hidden }, { entries: 4, hidden: undefined })
})

test('neither holes nor second names take anything', linux, async (t) => {
  const folder = folderOf(t)
  writeFileSync(join(folder, 'holes'), '')
  truncateSync(join(folder, 'holes'), 1e12)
  writeFileSync(join(folder, 'file'), Buffer.alloc(MB, 1))
  for (const name of ['b', 'c', 'd']) linkSync(join(folder, 'file'), join(folder, name))
  const { bytes } = await measure(folder)
  assert.ok(bytes >= MB && bytes < 1.5 * MB, `${bytes}`)
})

test('no link leads out of it, and it may not be one itself', linux, async (t) => {
  const [folder, outside] = [folderOf(t), folderOf(t)]
  writeFileSync(join(outside, 'large'), Buffer.alloc(5 * MB, 1))
  symlinkSync(outside, join(folder, 'out'))
  symlinkSync(join(outside, 'large'), join(folder, 'file'))
  symlinkSync('.', join(folder, 'circle'))
  const { bytes, entries } = await measure(folder)
  assert.ok(bytes < MB, `${bytes}`)
  assert.equal(entries, 3)
  await assert.rejects(measure(join(folder, 'out')), { code: 'ENOTDIR' })
})

test('a folder that becomes a link while it is walked leads nowhere', linux, async (t) => {
  const [folder, outside] = [folderOf(t), folderOf(t)]
  writeFileSync(join(outside, 'large'), Buffer.alloc(5 * MB, 1))
  const swap = `cd "$1"; end=$(($(date +%s) + 2)); while [ $(date +%s) -lt $end ]; do
    mkdir swapped 2>/dev/null; rmdir swapped 2>/dev/null; ln -s "$2" swapped 2>/dev/null; rm -f swapped
  done`
  const { spawn } = await import('node:child_process')
  const swapping = spawn('sh', ['-c', swap, 'sh', folder, outside], { stdio: 'ignore' })
  const ended = new Promise((resolve) => swapping.once('exit', resolve))
  let over = false
  void ended.then(() => {
    over = true
  })
  while (!over) assert.ok((await measure(folder)).bytes < MB)
})

test('names that are not UTF-8 are looked into', linux, async (t) => {
  const folder = folderOf(t)
  const name = Buffer.concat([Buffer.from(`${folder}/`), Buffer.from([0xff, 0xfe, 0x80])])
  mkdirSync(name)
  writeFileSync(Buffer.concat([name, Buffer.from('/file')]), Buffer.alloc(2 * MB, 1))
  assert.ok((await measure(folder)).bytes >= 2 * MB)
})

test('what is too much, too many or too deep is not walked to its end', linux, async (t) => {
  const folder = folderOf(t)
  for (let n = 0; n < 300; n += 1) writeFileSync(join(folder, `${n}`), 'x')
  const many = await measure(folder, { entries: 100 })
  assert.ok(many.entries > 100 && many.entries < 200, `${many.entries}`)
  const much = await measure(folder, { bytes: 100_000 })
  assert.ok(much.bytes > 100_000 && much.entries < 200)
  const deep = folderOf(t)
  // Deeper than any path can say.
  const nest = 'import os\nfor n in range(1500): os.mkdir("d" * 50); os.chdir("d" * 50)'
  execFileSync('/usr/bin/python3', ['-c', nest], { cwd: deep })
  t.after(() => execFileSync('rm', ['-rf', deep]))
  const { hidden, entries } = await measure(deep)
  assert.deepEqual({ hidden, entries }, { hidden: 'deep', entries: 101 })
})

test('a walk stops when nobody waits for it any more', linux, async (t) => {
  const folder = folderOf(t)
  for (let n = 0; n < 300; n += 1) writeFileSync(join(folder, `${n}`), 'x')
  const { entries } = await measure(folder, { signal: AbortSignal.abort() })
  assert.ok(entries < 100)
})

const noMounts = process.getuid?.() === 0 ? absent('unshare') : 'needs root'

test('another file system mounted in it is none of it', { skip: noMounts }, async (t) => {
  const folder = folderOf(t)
  const source = join(import.meta.dirname, '../../../src/runtime/limits/measure.ts')
  const script = `mkdir "$1/m" && mount -t tmpfs -o size=8m t "$1/m" && head -c 4000000 /dev/zero >"$1/m/f" &&
    exec "$2" --input-type=module -e 'const { measureFolder } = await import(process.argv[1])
    const signal = new AbortController().signal
    const { bytes } = await measureFolder(process.argv[2], { bytes: 1e9, entries: 1e6, signal })
    console.log(bytes)' "$3" "$1"`
  const words = ['--mount', 'sh', '-c', script, 'sh', folder, process.execPath, source]
  const said = execFileSync('unshare', words, { encoding: 'utf8' })
  assert.ok(Number(said) < MB, said)
})

test('who fills its folder is told of, once', linux, async (t) => {
  const folder = folderOf(t)
  const told: string[] = []
  const onBreach = (why: string) => told.push(why)
  const watch = watchDisk({ folder, most: 8 * MB, every: 20, onBreach })
  t.after(() => watch.close())
  const file = join(folder, 'file')
  writeFileSync(file, Buffer.alloc(4 * MB, 1))
  await pass(300)
  assert.deepEqual(told, [])
  appendFileSync(file, Buffer.alloc(5 * MB, 1))
  await until('it is told', () => told.length > 0)
  await pass(200)
  assert.deepEqual(told, ['it keeps more than its 8 MB on disk'])
})

test('a folder that is full already is told of to each who shares it', linux, async (t) => {
  const folder = folderOf(t)
  writeFileSync(join(folder, 'file'), Buffer.alloc(2 * MB, 1))
  const told: number[] = []
  const watches = [1, 2].map((each) =>
    watchDisk({ folder, most: MB, every: 20, onBreach: () => told.push(each) }),
  )
  await until('both are told', () => told.length === 2)
  watches.push(watchDisk({ folder, most: MB, onBreach: () => told.push(3) }))
  await until('who comes later too', () => told.length === 3)
  for (const watch of watches) watch.close()
})

test('a watch that is closed tells nobody', linux, async (t) => {
  const folder = folderOf(t)
  const told: string[] = []
  watchDisk({ folder, most: MB, every: 10, onBreach: (why) => told.push(why) }).close()
  writeFileSync(join(folder, 'file'), Buffer.alloc(2 * MB, 1))
  await pass(200)
  assert.deepEqual(told, [])
})

test('what an instance has written is a reason to look', linux, async (t) => {
  const folder = folderOf(t)
  let [written, asked] = [0, 0]
  const told: string[] = []
  const watch = watchDisk({
    folder,
    most: MB,
    every: 10,
    written: () => {
      asked += 1
      return written
    },
    onBreach: (why) => told.push(why),
  })
  t.after(() => watch.close())
  await until('it was looked at', () => asked > 1)
  // Deep in the cache of the disk nothing may be taken yet; what was written says it.
  writeFileSync(join(folder, 'file'), Buffer.alloc(2 * MB, 1))
  written = 2 * MB
  await until('it is told', () => told.length > 0)
})

function measure(folder: string, options: Partial<MeasureOptions> = {}) {
  const { signal } = new AbortController()
  return measureFolder(folder, { bytes: 1e12, entries: 1e6, signal, ...options })
}

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'disk-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** For what must not happen. */
function pass(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}
