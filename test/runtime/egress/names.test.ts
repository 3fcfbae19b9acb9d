import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Names } from '../../../src/runtime/egress/names.ts'

test('names are looked up one after the other, and one name for all who ask', async () => {
  const waiting = new Map<string, (addresses: string[]) => void>()
  const asked: string[] = []
  const names = new Names((host) => {
    asked.push(host)
    return new Promise((answer) => waiting.set(host, answer))
  })
  const first = names.ask('a.example')
  const second = names.ask('b.example')
  assert.equal(names.ask('a.example'), first)
  await turn()
  assert.deepEqual(asked, ['a.example'])
  waiting.get('a.example')?.(['1.1.1.1'])
  assert.deepEqual(await first, ['1.1.1.1'])
  await turn()
  assert.deepEqual(asked, ['a.example', 'b.example'])
  waiting.get('b.example')?.(['1.0.0.1'])
  assert.deepEqual(await second, ['1.0.0.1'])
})

test('an answer is for those who asked before it, and a failure stops nobody after it', async () => {
  let count = 0
  const names = new Names(async (host) => {
    count += 1
    if (host === 'lost.example') throw new Error('no such name')
    return [`1.1.1.${count}`]
  })
  await assert.rejects(names.ask('lost.example') ?? assert.fail(), /no such name/)
  assert.deepEqual(await names.ask('a.example'), ['1.1.1.2'])
  assert.deepEqual(await names.ask('a.example'), ['1.1.1.3'])
})

test('only so many names wait in line', async () => {
  let answer: (addresses: string[]) => void = () => {}
  const silent = new Promise<string[]>((resolve) => {
    answer = resolve
  })
  const names = new Names(() => silent)
  const line = Array.from({ length: 64 }, (_, n) => names.ask(`n${n}.example`))
  assert.ok(line.every((each) => each !== undefined))
  assert.equal(names.ask('one-more.example'), undefined)
  assert.notEqual(names.ask('n0.example'), undefined)
  answer(['1.1.1.1'])
  await Promise.all(line)
  await turn()
  assert.notEqual(names.ask('one-more.example'), undefined)
})

function turn(): Promise<void> {
  return new Promise((done) => setImmediate(done))
}
