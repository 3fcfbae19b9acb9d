import type { Config } from '../../config/config.ts'
import type { Declaration, Policy } from '../../tool/declaration.ts'
import { findLimiter } from '../limits/limiter.ts'
import type { Cell } from './cell.ts'
import { refusedFiles } from './grants.ts'
import { probeHost } from './host.ts'
import { installationLines } from './installation.ts'
import { type NativeCell, resolveNative } from './native.ts'

/** The cell of a tool that is no container. */
export type NativeChoice =
  | NativeCell
  | (Cell & { readonly kind: 'permission' | 'none' | 'missing' })

/**
 * Which cell a native tool has on this host, whatever the files are that it names. Where it has to
 * have one and cannot, `refusals` says why and what to do.
 */
export async function chooseCell(
  tool: Pick<Declaration, 'policy' | 'runtime'>,
  config: Config,
): Promise<NativeChoice> {
  if (tool.policy.sandbox === 'none') return { ...BARE, lines: bare("its file's policy.sandbox") }
  if (config.sandbox === 'none') return { ...BARE, lines: bare("the configuration's sandbox") }
  const host = await probeHost(config.environment)
  if (host.bubblewrap !== null) {
    return resolveNative(tool, config, host, await findLimiter())
  }
  // Only where nothing is there: a cell that fails today is no reason for less tomorrow.
  if (host.absent && tool.runtime.kind === 'inline' && asksNothing(tool.policy)) return PERMISSION
  const mend = host.absent ? 'install bubblewrap' : 'let it work'
  const ways = `${mend}, or say policy: { sandbox: 'none' } in its file`
  return { kind: 'missing', lines: [], refusals: [`${host.why ?? 'there are no cells'}; ${ways}`] }
}

/** The same, with what its program and its files come to as they lie there now. */
export async function chooseCellNow(
  tool: Pick<Declaration, 'policy' | 'runtime'>,
  config: Config,
): Promise<NativeChoice> {
  const cell = await chooseCell(tool, config)
  if (cell.kind !== 'bubblewrap') return cell
  const [lines, refusals] = await Promise.all([
    installationLines(tool, config),
    refusedFiles(tool.policy, config),
  ])
  return {
    ...cell,
    lines: [...cell.lines, ...lines],
    refusals: [...cell.refusals, ...refusals],
  }
}

const BARE = { kind: 'none', refusals: [] } as const

function bare(who: string): Cell['lines'] {
  const rule = "everything that the gateway's user may do; what is said below is not enforced"
  return [{ what: 'sandbox', rule: `none, by ${who}: ${rule}`, by: null }]
}

/** Of what Node itself can deny, all is denied; the rest is said. */
const PERMISSION: NativeChoice = {
  kind: 'permission',
  refusals: [],
  lines: [
    {
      what: 'files',
      rule: "only its own and the gateway's code, read-only",
      by: 'Node permissions',
    },
    { what: 'processes, threads and native code', rule: 'none', by: 'Node permissions' },
    { what: 'environment', rule: 'empty', by: 'started with an environment of its own' },
    { what: 'network, memory and processors', rule: 'not limited', by: null },
  ],
}

/** Nothing that its file gives would have to be kept from others, or bounded. */
function asksNothing(policy: Policy): boolean {
  const { network, workspace, files, env, secrets, memory, cpus, processes } = policy
  return (
    network === 'none' &&
    workspace.access === 'none' &&
    files.read.length + files.write.length + env.length + Object.keys(secrets).length === 0 &&
    [memory, cpus, processes].every((bound) => bound === null)
  )
}
