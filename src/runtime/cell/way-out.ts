import type { Policy } from '../../tool/declaration.ts'
import type { EgressDoors } from '../egress/doors.ts'
import { FORWARD, forwardWords } from '../egress/forwarded.ts'
import { proxyVariables } from '../egress/variables.ts'
import type { LookKept } from './kept.ts'
import { placeProgram } from './program.ts'
import { type Mount, readOnly, systemView } from './view.ts'

/** How a program in a cell reaches the network, where its policy lets it. */
export interface WayOut {
  readonly mounts: readonly Mount[]
  /** What stands before the program: the forwarder, which starts it. */
  readonly words: readonly string[]
  readonly variables: Readonly<Record<string, string>>
  release(): Promise<void>
}

interface WayOutMeans {
  readonly doors: EgressDoors
  /** The gateway's PATH. */
  readonly path: string
  readonly kept: LookKept
}

const NONE: WayOut = { mounts: [], words: [], variables: {}, release: async () => {} }

/** Opens the way out through the gateway's egress proxy; nothing where there is none, or it is the host's. */
export async function openWayOut(
  tool: string,
  { network }: Pick<Policy, 'network'>,
  { doors, path, kept }: WayOutMeans,
): Promise<WayOut> {
  if (network === 'none' || network === 'host') return NONE
  const node = await placeProgram(process.execPath, path, systemView(), kept)
  const door = await doors.open(tool, network)
  return {
    mounts: [...node.mounts, readOnly(FORWARD, INSIDE), readOnly(door.path, SOCKET)],
    words: forwardWords(node.program, INSIDE, SOCKET),
    variables: proxyVariables(),
    release: () => door.release(),
  }
}

/** Where they are in the cell. */
const INSIDE = '/run/toolgate/forward.mjs'
const SOCKET = '/run/toolgate/egress'
