/** One instruction of classic BPF, the kernel's `struct sock_filter`. */
interface Instruction {
  readonly code: number
  /** How many instructions are left out where a test holds, and where it does not. */
  readonly yes: number
  readonly no: number
  readonly value: number
}

/** A piece of a program that ends in an answer, whichever way it goes; nothing jumps out of it. */
export type Block = readonly Instruction[]

/** A test of what was read last; the kernel compares as unsigned. `anyBit`: one of them is set. */
export type Test = keyof typeof TESTS

/** Ends the program. */
export function answer(action: number): Block {
  return [{ code: RETURN, yes: 0, no: 0, value: action }]
}

/** Reads the 32 bits at a place of `struct seccomp_data`, in bytes, and goes on. */
export function read(place: number, then: Block): Block {
  return [{ code: LOAD, yes: 0, no: 0, value: place }, ...then]
}

/** One block or the other. A test can leave out 255 instructions, so a far one is led to by a jump. */
export function when(test: Test, value: number, yes: Block, no: Block): Block {
  const code = TESTS[test]
  if (no.length <= FARTHEST) return [{ code, yes: no.length, no: 0, value }, ...no, ...yes]
  if (yes.length <= FARTHEST) return [{ code, yes: 0, no: yes.length, value }, ...yes, ...no]
  const jump = { code: JUMP, yes: 0, no: 0, value: no.length }
  return [{ code, yes: 0, no: 1, value }, jump, ...no, ...yes]
}

/** The program as the kernel reads it, little-endian. Throws where it would be read otherwise. */
export function assemble(program: Block): Uint8Array<ArrayBuffer> {
  if (program.length < 1 || program.length > LONGEST)
    throw new RangeError(`A program of ${program.length} instructions.`)
  const bytes = new Uint8Array(program.length * SIZE)
  const view = new DataView(bytes.buffer)
  for (const [at, instruction] of program.entries()) {
    check(instruction, program.length - at - 1)
    view.setUint16(at * SIZE, instruction.code, true)
    view.setUint8(at * SIZE + 2, instruction.yes)
    view.setUint8(at * SIZE + 3, instruction.no)
    view.setUint32(at * SIZE + 4, instruction.value, true)
  }
  return bytes
}

const LOAD = 0x20
const RETURN = 0x06
const JUMP = 0x05
const TESTS = { equal: 0x15, atLeast: 0x35, anyBit: 0x45 } as const

const SIZE = 8
const FARTHEST = 0xff
/** The kernel takes no longer one. */
const LONGEST = 4096

function check({ code, yes, no, value }: Instruction, following: number): void {
  if (!isUnsigned(value, 32) || !isUnsigned(yes, 8) || !isUnsigned(no, 8)) {
    throw new RangeError(`No field of an instruction holds it: ${yes}, ${no} or ${value}.`)
  }
  if (code === RETURN) return
  const jump = code === JUMP ? value : Math.max(yes, no)
  if (jump >= following) throw new RangeError('The program goes on after its end.')
}

function isUnsigned(value: number, bits: number): boolean {
  return Number.isInteger(value) && value >= 0 && value < 2 ** bits
}
