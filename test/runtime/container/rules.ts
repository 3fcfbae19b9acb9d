import { execFileSync } from 'node:child_process'
import { GATEWAY } from '../../../src/mark.ts'

/** The rules of IPv4 that carry this gateway's mark, or another's: what follows `iptables -D`. */
export function ourRules(gateway: string = GATEWAY, program = 'iptables'): string[][] {
  const lines = execFileSync(program, ['-w', '-S'], { encoding: 'utf8' }).split('\n')
  return lines
    .filter((line) => line.includes(`toolgate:${gateway}`))
    .map((line) => line.replace(/^-A /, '').replaceAll('"', '').split(' '))
}
