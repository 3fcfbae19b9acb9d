import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  answer,
  assemble,
  type Block,
  read,
  when,
} from '../../../src/runtime/cell/seccomp/assemble.ts'
import { interpret } from './bpf.ts'

test('an instruction is eight bytes, the lowest first', () => {
  assert.deepEqual(
    [...assemble(read(4, when('equal', 0xc000003e, answer(1), answer(0x7fff0000))))],
    [
      ...[0x20, 0, 0, 0, 4, 0, 0, 0],
      ...[0x15, 0, 1, 0, 0x3e, 0, 0, 0xc0],
      ...[0x06, 0, 0, 0, 0, 0, 0xff, 0x7f],
      ...[0x06, 0, 0, 0, 1, 0, 0, 0],
    ],
  )
})

test('a test leads to its block, however far that is', () => {
  for (const yes of [1, 2, 254, 255, 256, 300, 1000]) {
    for (const no of [1, 2, 254, 255, 256, 300, 1000]) {
      const program = assemble(read(0, when('atLeast', 10, long(yes, 1), long(no, 2))))
      assert.equal(interpret(program, { audit: 0, number: 10 }).action, 1, `${yes} and ${no}`)
      assert.equal(interpret(program, { audit: 0, number: 9 }).action, 2, `${yes} and ${no}`)
    }
  }
})

test('each test is what it says, without a sign', () => {
  const holds = (test: Parameters<typeof when>[0], value: number, number: number) =>
    interpret(assemble(read(0, when(test, value, answer(1), answer(0)))), { audit: 0, number })
      .action === 1
  assert.deepEqual(
    [7, 8, 9].map((number) => holds('equal', 8, number)),
    [false, true, false],
  )
  assert.deepEqual(
    [7, 8, 0x80000000, 0xffffffff].map((number) => holds('atLeast', 8, number)),
    [false, true, true, true],
  )
  assert.deepEqual(
    [0, 1, 4, 0x80000001].map((number) => holds('anyBit', 0x80000004, number)),
    [false, false, true, true],
  )
})

test('what the kernel would read otherwise is not written', () => {
  const far = { code: 0x15, yes: 256, no: 0, value: 0 }
  const past = { code: 0x15, yes: 1, no: 0, value: 0 }
  const wrong: Record<string, Block> = {
    'a test that leaves out too many': [far, ...long(300, 0)],
    'a test that leaves out less than none': [{ ...far, yes: -1 }, ...answer(0)],
    'a test that leads past the end': [past, ...answer(0)],
    'a jump past the end': [{ code: 0x05, yes: 0, no: 0, value: 1 }, ...answer(0)],
    'a jump back': [{ code: 0x05, yes: 0, no: 0, value: -1 }, ...answer(0)],
    'no answer at the end': read(0, []),
    'a value of more than 32 bits': answer(2 ** 32),
    'half a value': answer(0.5),
    'too long a program': long(4097, 0),
    'no program': [],
  }
  for (const [what, program] of Object.entries(wrong)) {
    assert.throws(() => assemble(program), RangeError, what)
  }
  assert.equal(assemble(long(4096, 0)).length, 4096 * 8)
})

/** So many instructions, and the answer last. */
function long(length: number, action: number): Block {
  return length === 1 ? answer(action) : read(0, long(length - 1, action))
}
