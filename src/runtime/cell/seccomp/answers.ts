import { answer } from './assemble.ts'

/** What the kernel does with a system call: `SECCOMP_RET_*`, with the number of an error. */
export const ALLOW = answer(0x7fff0000)
/** The whole process ends with SIGSYS. */
export const KILL = answer(0x80000000)
/** EPERM. */
export const REFUSE = fail(1)
/** ENOSYS, as where the kernel does not have it: programs and libraries then do without. */
export const ABSENT = fail(38)
/** EAFNOSUPPORT. */
export const NO_SUCH_FAMILY = fail(97)

function fail(error: number) {
  return answer(0x00050000 + error)
}
