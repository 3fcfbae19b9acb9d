import { cpuOf } from '../measure/proc.ts'
import { quantile } from '../measure/stats.ts'
import { type Session, textOf } from './session.ts'

/** Messages that did not come as they must; the first few are kept in words. */
export interface Faults {
  wrong: number
  foreign: number
  lost: number
  words: string[]
}

/** One window of load. Times in ms; `cpu` is the server's own for one call, null if not known. */
export interface Window {
  readonly calls: number
  readonly rate: number
  readonly p50: number
  readonly p99: number
  readonly cpu: number | null
  readonly client: number
}

export interface Member {
  readonly name: string
  readonly session: Session & { readonly id: number }
  /** The process that answered first, and must answer ever after. */
  process?: string
}

/**
 * A closed loop: each member has one call in flight. The window opens after `settle` ms, and its
 * calls and the CPU of the process `pid` are counted over the same `span` ms.
 */
export async function runWindow(
  members: readonly Member[],
  { settle, span, pid }: { settle: number; span: number; pid: number | null },
  faults: Faults,
): Promise<Window> {
  const times: number[] = []
  let counting = false
  let running = true
  const loops = members.map(async (member) => {
    while (running) {
      const time = await callOnce(member, faults)
      if (time === null) break
      if (counting) times.push(time)
    }
  })
  await pause(settle)
  const [from, server, client] = [performance.now(), cpu(pid), process.cpuUsage()]
  counting = true
  await pause(span)
  counting = false
  const [to, serverAfter, clientAfter] = [performance.now(), cpu(pid), process.cpuUsage(client)]
  running = false
  await Promise.all(loops)
  times.sort((a, b) => a - b)
  return {
    calls: times.length,
    rate: (times.length / (to - from)) * 1000,
    p50: quantile(times, 0.5),
    p99: quantile(times, 0.99),
    cpu: server === null || serverAfter === null ? null : (serverAfter - server) / times.length,
    client: (clientAfter.user + clientAfter.system) / 1000 / times.length,
  }
}

let count = 0

/** One `echo` with a token that exists once; its time in ms, or null when it was lost. */
export async function callOnce(member: Member, faults: Faults): Promise<number | null> {
  const token = `${member.name}:${++count}`
  const from = performance.now()
  try {
    const params = { name: 'echo', arguments: { text: token } }
    const answer = await within(member.session.ask('tools/call', params), 30_000)
    const [text, process] = textOf(answer, member.session.id).split('|')
    member.process ??= process ?? ''
    if (answer.messages().length !== 1) fault(faults, 'wrong', `more than the answer to ${token}`)
    if (text !== token) {
      const foreign = text?.split(':')[0] !== member.name
      fault(faults, foreign ? 'foreign' : 'wrong', `${text} in place of ${token}`)
    } else if (process !== member.process) fault(faults, 'foreign', `${token} from another process`)
    return answer.at - from
  } catch (error) {
    fault(faults, 'lost', `${token}: ${(error as Error).message}`)
    return null
  }
}

export function fault(faults: Faults, kind: 'wrong' | 'foreign' | 'lost', words: string): void {
  faults[kind]++
  if (faults.words.length < 5) faults.words.push(`${kind}: ${words}`)
}

async function within<T>(work: Promise<T>, ms: number): Promise<T> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new Error(`nothing came in ${ms} ms`)), ms)
  try {
    return await Promise.race([work, late.promise])
  } finally {
    clearTimeout(timer)
  }
}

function cpu(pid: number | null): number | null {
  return pid === null ? null : cpuOf(pid)
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
