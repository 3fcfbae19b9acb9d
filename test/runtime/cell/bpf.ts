/** A system call as a filter is shown it: the kernel's `struct seccomp_data`. */
export interface Shown {
  readonly audit: number
  readonly number: number
  /** Registers of 64 bits. */
  readonly args?: readonly (bigint | number)[]
}

/** What a program of classic BPF answers, and after how many instructions; throws where it is none. */
export function interpret(program: Uint8Array, shown: Shown): { action: number; steps: number } {
  const code = new DataView(program.buffer, program.byteOffset, program.byteLength)
  const data = dataOf(shown)
  let read = 0
  let steps = 0
  for (let at = 0; ; at += 1) {
    steps += 1
    const [yes, no] = [code.getUint8(at * 8 + 2), code.getUint8(at * 8 + 3)]
    const value = code.getUint32(at * 8 + 4, true)
    switch (code.getUint16(at * 8, true)) {
      case 0x20: // BPF_LD | BPF_W | BPF_ABS
        if (value % 4 !== 0) throw new Error(`${value} is no place to read`)
        read = data.getUint32(value, true)
        break
      case 0x05: // BPF_JMP | BPF_JA
        at += value
        break
      case 0x15: // BPF_JMP | BPF_JEQ | BPF_K
        at += read === value ? yes : no
        break
      case 0x35: // BPF_JMP | BPF_JGE | BPF_K
        at += read >= value ? yes : no
        break
      case 0x45: // BPF_JMP | BPF_JSET | BPF_K
        at += (read & value) !== 0 ? yes : no
        break
      case 0x06: // BPF_RET | BPF_K
        return { action: value, steps }
      default:
        throw new Error(`unknown instruction at ${at}`)
    }
  }
}

function dataOf({ audit, number, args = [] }: Shown): DataView {
  const data = new DataView(new ArrayBuffer(64))
  data.setUint32(0, number, true)
  data.setUint32(4, audit, true)
  for (const [index, arg] of args.entries()) data.setBigUint64(16 + 8 * index, BigInt(arg), true)
  return data
}
