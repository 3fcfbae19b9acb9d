import type { Config } from '../../config/config.ts'
import { identityView } from './identity.ts'
import type { LookKept } from './kept.ts'
import { placeProgram } from './program.ts'
import { isSeen, type Mount, readOnly, systemView } from './view.ts'

export interface ProgramViewOptions {
  readonly program: string
  /** Absolute paths that it has to read, besides itself and what it was installed with. */
  readonly needs: readonly string[]
  /** Whom it takes itself for. */
  readonly user: { readonly uid: number; readonly gid: number }
  readonly config: Pick<Config, 'cache' | 'environment'>
  /** What its installation must not show; absent: only the gateway's own folder. */
  readonly kept?: LookKept
}

/** What a program sees besides what a file gives it, and where it is itself. */
export async function programView({
  program,
  needs,
  user,
  config,
  kept,
}: ProgramViewOptions): Promise<{ readonly program: string; readonly mounts: readonly Mount[] }> {
  const system = systemView()
  const [placed, identity] = await Promise.all([
    placeProgram(program, config.environment.PATH ?? '', system, kept),
    identityView(config.cache, user),
  ])
  const wanted = needs.filter((path) => !isSeen(path, system)).map((path) => readOnly(path))
  return { program: placed.program, mounts: [...system, ...identity, ...placed.mounts, ...wanted] }
}

/** The gateway's, which its tools have where it is not root. */
export function ownUser(): { readonly uid: number; readonly gid: number } {
  return { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 }
}
