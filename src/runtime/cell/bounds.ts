import type { Config } from '../../config/config.ts'
import type { Policy } from '../../tool/declaration.ts'
import type { Bounds } from '../limits/limits.ts'

/** What a tool's processes may use together: its file's word, else the configuration's. */
export function boundsOf(policy: Policy, cells: Config['cells']): Bounds {
  return {
    memory: policy.memory ?? cells.memory,
    processes: policy.processes ?? cells.processes,
    cpus: policy.cpus,
  }
}

/** `256 MB`, in steps of 1,024. */
export function sizeOf(bytes: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB']
  let size = bytes
  let unit = 0
  while (size >= 1024 && unit < units.length - 1) {
    size /= 1024
    unit += 1
  }
  return `${Number(size.toFixed(1))} ${units[unit]}`
}
