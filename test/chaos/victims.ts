import { readFileSync } from 'node:fs'
import { MARK } from '../../src/mark.ts'
import { readStatNow } from '../../src/runtime/proc.ts'
import { commandLine, isAlive, processIds } from '../harness/processes.ts'
import type { Resident } from './house.ts'

/** A process of a tool's, and what it is: `celled bubblewrap`, `boxed program of a spare`. */
export interface Victim {
  readonly pid: number
  readonly what: string
}

/** Every process that runs for a gateway, wherever it is. */
export function victimsOf(gateway: Resident): Victim[] {
  const spares = sparesOf(gateway)
  return processIds().flatMap((pid) => {
    const mark = markOf(pid)
    if (!mark.startsWith(`${gateway.id}.`) || !isAlive(pid)) return []
    const [, tool, number] = mark.split('.')
    const spare = spares.has(`${tool}.${number}`) ? ' of a spare' : ''
    return [{ pid, what: `${tool} ${roleOf(pid, mark, gateway.pid)}${spare}` }]
  })
}

function roleOf(pid: number, mark: string, gateway: number): string {
  const command = commandLine(pid)
  const parent = readStatNow(pid)?.parent ?? 0
  if (/^\S*bwrap /.test(command)) return parent === gateway ? 'bubblewrap' : 'first in its cell'
  if (/docker-init /.test(command)) return 'first in its container'
  if (/ -e /.test(command)) return 'grandchild'
  return markOf(parent) === mark ? 'program' : 'leader'
}

/** By the log: what was started as one and has neither been handed out nor ended. */
function sparesOf({ logs }: Resident): Set<unknown> {
  const of = (what: RegExp) => logs.filter(({ msg = '' }) => what.test(msg))
  const gone = new Set(of(/^spare handed out|^instance ended/).map(({ instance }) => instance))
  const started = of(/^instance started/).filter(({ spare }) => spare === true)
  return new Set(started.map(({ instance }) => instance).filter((each) => !gone.has(each)))
}

function markOf(pid: number): string {
  try {
    const variables = readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0')
    return variables.find((each) => each.startsWith(`${MARK}=`))?.slice(MARK.length + 1) ?? ''
  } catch {
    return ''
  }
}
