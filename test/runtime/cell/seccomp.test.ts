import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { CONDITIONS } from '../../../src/runtime/cell/seccomp/conditions.ts'
import { REFUSED, seccompFilter } from '../../../src/runtime/cell/seccomp/filter.ts'
import { type Numbers, REFUSED_CALLS } from '../../../src/runtime/cell/seccomp/refused.ts'
import { interpret } from './bpf.ts'

const AUDIT = { x64: 0xc000003e, arm64: 0xc00000b7 }
const I386 = 0x40000003
const ARM = 0x40000028

const HIGH = 1n << 32n

for (const arch of ['x64', 'arm64'] as const) {
  test(`${arch}: what reaches out of a cell is refused, whatever its arguments`, () => {
    const refused = {
      x64: [
        ...[101, 103, 134, 136, 139, 153, 154, 155, 159, 161, 163, 164, 165, 166, 167, 168, 169],
        ...[170, 171, 172, 173, 174, 175, 176, 177, 178, 179, 180, 212, 227, 237, 238, 239, 246],
        ...[248, 249, 250, 256, 279, 298, 300, 303, 304, 305, 308, 310, 311, 312, 313, 320, 321],
        ...[323, 425, 426, 427, 428, 429, 430, 431, 432, 433, 438, 440, 442, 443, 447, 450, 467],
      ],
      arm64: [
        ...[18, 39, 40, 41, 42, 51, 58, 60, 89, 104, 105, 106, 112, 116, 117, 142, 161, 162, 170],
        ...[171, 217, 218, 219, 224, 225, 235, 236, 237, 238, 239, 241, 262, 264, 265, 266, 268],
        ...[270, 271, 272, 273, 280, 282, 294, 425, 426, 427, 428, 429, 430, 431, 432, 433, 438],
        ...[440, 442, 443, 447, 450, 467],
      ],
    }[arch]
    const ones = Array.from({ length: 6 }, () => 2n ** 64n - 1n)
    for (const args of [[], ones]) {
      assert.deepEqual(
        refused.filter((number) => ask(arch, number, args) !== 'EPERM'),
        [],
      )
    }
  })

  test(`${arch}: what programs need is allowed`, () => {
    // Of files, memory, processes, users, sockets, time, and the newest that are known.
    const allowed = {
      x64: [
        ...[0, 1, 2, 3, 9, 10, 15, 39, 42, 44, 57, 58, 59, 60, 61, 62, 90, 105, 106, 116, 117],
        ...[119, 125, 126, 157, 158, 160, 186, 202, 231, 257, 271, 273, 302, 314, 317, 319, 322],
        ...[332, 334, 335, 336, 424, 434, 436, 439, 441, 444, 445, 446, 448, 449, 451, 452, 462],
        ...[466, 468, 469],
      ],
      arm64: [
        ...[0, 4, 5, 17, 19, 25, 50, 52, 56, 57, 63, 64, 90, 91, 93, 94, 96, 98, 129, 134, 139],
        ...[143, 144, 147, 149, 159, 164, 167, 172, 203, 215, 221, 222, 226, 260, 261, 269, 274],
        ...[277, 278, 279, 281, 291, 293, 424, 434, 436, 439, 441, 444, 448, 449, 451, 452, 462],
        ...[466, 468, 469],
      ],
    }[arch]
    assert.deepEqual(
      allowed.filter((number) => ask(arch, number, []) !== 'allowed'),
      [],
    )
  })

  test(`${arch}: a clone may start processes and threads, but no namespace`, () => {
    const { clone } = { x64: { clone: 56 }, arm64: { clone: 220 } }[arch]
    const thread = 0x3d0f00
    for (const flags of [17, 0x1200011, 0x4111, thread]) {
      assert.equal(ask(arch, clone, [flags]), 'allowed')
    }
    // What is no flag of it, its stack, has the same bits.
    assert.equal(ask(arch, clone, [17, 0x7e020000]), 'allowed')
    for (const bit of [17, 25, 26, 27, 28, 29, 30]) {
      assert.equal(ask(arch, clone, [2 ** bit + 17]), 'EPERM', `bit ${bit}`)
      assert.equal(ask(arch, clone, [HIGH + BigInt(2 ** bit)]), 'EPERM', `bit ${bit} below another`)
    }
    assert.equal(ask(arch, 435, [2 ** 28, 88]), 'ENOSYS')
  })

  test(`${arch}: to unshare files, directories and semaphores is all there is`, () => {
    const unshare = { x64: 272, arm64: 97 }[arch]
    for (const flags of [0, 0x200, 0x400, 0x40000, 0x40600]) {
      assert.equal(ask(arch, unshare, [flags]), 'allowed')
    }
    for (const bit of [7, 17, 20, 25, 26, 27, 28, 29, 30, 31]) {
      assert.equal(ask(arch, unshare, [2 ** bit + 0x200]), 'EPERM', `bit ${bit}`)
    }
    assert.equal(ask(arch, unshare, [HIGH]), 'EPERM')
  })

  test(`${arch}: nothing is typed into a terminal, however the request is written`, () => {
    const ioctl = { x64: 16, arm64: 29 }[arch]
    for (const request of [0x5412, 0x541c]) {
      assert.equal(ask(arch, ioctl, [0, request]), 'EPERM')
      // The kernel takes the lower half of it alone.
      assert.equal(ask(arch, ioctl, [0, HIGH * 7n + BigInt(request)]), 'EPERM')
      assert.equal(ask(arch, ioctl, [request, 0x5401, request]), 'allowed')
    }
    for (const request of [0x5401, 0x5413, 0x541b, 0x5421, 0xffffffff]) {
      assert.equal(ask(arch, ioctl, [0, request]), 'allowed')
    }
  })

  test(`${arch}: sockets are of the internet, of this machine or of netlink`, () => {
    const calls = { x64: [41, 53], arm64: [198, 199] }[arch]
    for (const number of calls) {
      for (const family of [1, 2, 10, 16]) assert.equal(ask(arch, number, [family]), 'allowed')
      for (const family of [0, 3, 9, 17, 18, 21, 29, 31, 38, 40, 44, 255, 0xffffffff]) {
        assert.equal(ask(arch, number, [family]), 'EAFNOSUPPORT', `family ${family}`)
      }
      assert.equal(ask(arch, number, [HIGH + 40n]), 'EAFNOSUPPORT')
      assert.equal(ask(arch, number, [HIGH + 2n]), 'allowed')
    }
  })

  test(`${arch}: a personality may be asked for, and not weaken memory`, () => {
    const personality = { x64: 135, arm64: 92 }[arch]
    for (const value of [0, 8, 0x20000, 0x20008, 0xffffffff]) {
      assert.equal(ask(arch, personality, [value]), 'allowed')
    }
    // No random addresses, readable is executable, memory at zero, other systems.
    for (const value of [0x40000, 0x400000, 0x100000, 0x4000000, 4, 0x40008]) {
      assert.equal(ask(arch, personality, [value]), 'EPERM')
      assert.equal(ask(arch, personality, [HIGH + BigInt(value)]), 'EPERM')
    }
  })

  test(`${arch}: what tomorrow's kernel adds, and numbers of no call, are not there`, () => {
    const gaps = { x64: [337, 386, 423], arm64: [244, 259, 295, 402, 403, 404, 423] }[arch]
    for (const number of [...gaps, 470, 471, 512, 547, 1000, 0x7fffffff, 0x80000000, 0xffffffff]) {
      assert.equal(ask(arch, number, []), 'ENOSYS', `${number}`)
    }
  })

  test(`${arch}: a call by another ABI ends the process, or is not there`, () => {
    const others = { x64: [I386, ARM, AUDIT.arm64, 0], arm64: [I386, ARM, AUDIT.x64, 0] }[arch]
    for (const audit of others) {
      for (const number of [0, 1, 26, 101, 63]) {
        assert.equal(named(interpret(filter(arch), { audit, number }).action), 'killed')
      }
    }
    // x32 is a bit in the number: read, ptrace, mount, and its own ioctl.
    for (const number of [0, 101, 165, 514]) {
      assert.equal(ask(arch, 0x40000000 + number, []), 'ENOSYS')
    }
  })

  test(`${arch}: common calls are answered within a dozen instructions, any within 18`, () => {
    const program = filter(arch)
    assert.ok(program.length / 8 < 300)
    const common = { x64: [0, 1, 7, 202, 232, 257], arm64: [22, 56, 63, 64, 98] }[arch]
    for (const number of common) {
      assert.ok(interpret(program, { audit: AUDIT[arch], number }).steps <= 12)
    }
    for (let number = 0; number < 600; number += 1) {
      assert.ok(interpret(program, { audit: AUDIT[arch], number }).steps <= 18)
    }
  })
}

test('each call that is refused is answered so, and is told of', () => {
  for (const arch of ['x64', 'arm64'] as const) {
    const told = Object.entries(REFUSED_CALLS).flatMap(([what, calls]) => {
      assert.ok(REFUSED.includes(what))
      return Object.values<Numbers>(calls).flatMap(({ [arch]: number }) => number ?? [])
    })
    assert.equal(new Set(told).size, told.length)
    for (const number of told) assert.equal(ask(arch, number, []), 'EPERM')
  }
  for (const { what } of CONDITIONS) assert.ok(REFUSED.includes(what))
  assert.deepEqual(
    REFUSED.filter((words) => words.includes(',')),
    [],
  )
})

test('there is a filter for two processors, and none is made up for others', () => {
  for (const arch of ['ia32', 'arm', 'riscv64', 's390x', 'ppc64', 'loong64', 'toString', '']) {
    assert.equal(seccompFilter(arch), undefined)
  }
})

const HEADERS = {
  x64: '/usr/include/x86_64-linux-gnu/asm/unistd_64.h',
  arm64: '/usr/include/asm-generic/unistd.h',
}

for (const [arch, header] of Object.entries(HEADERS) as ['x64' | 'arm64', string][]) {
  const skip = existsSync(header) ? false : `${header} is not installed`
  test(`${arch}: the numbers are those of the kernel's headers`, { skip }, () => {
    const theirs = numbersIn(readFileSync(header, 'utf8'))
    const ours = Object.assign({}, ...Object.values(REFUSED_CALLS), ...CONDITIONS.map(callsOf))
    for (const [name, numbers] of Object.entries<Numbers>(ours)) {
      // Headers are older or newer than this list, and say nothing about what they do not have.
      const { [arch]: number } = numbers
      if (theirs.has(name)) assert.equal(number, theirs.get(name), name)
      else if (number !== undefined)
        assert.equal([...theirs.values()].includes(number), false, name)
    }
    assert.ok(theirs.size > 250)
  })
}

function callsOf({ calls }: (typeof CONDITIONS)[number]) {
  return calls
}

function numbersIn(header: string): Map<string, number> {
  const lines = header.matchAll(/^#define __NR(?:3264)?_(\w+) (\d+)$/gm)
  return new Map([...lines].map(([, name, number]) => [String(name), Number(number)]))
}

function ask(arch: 'x64' | 'arm64', number: number, args: readonly (bigint | number)[]): string {
  return named(interpret(filter(arch), { audit: AUDIT[arch], number, args }).action)
}

function filter(arch: string): Uint8Array {
  const program = seccompFilter(arch)
  assert.ok(program)
  return program
}

function named(action: number): string {
  const names: Record<number, string> = {
    2147418112: 'allowed',
    2147483648: 'killed',
    327681: 'EPERM',
    327718: 'ENOSYS',
    327777: 'EAFNOSUPPORT',
  }
  return names[action] ?? `0x${action.toString(16)}`
}
