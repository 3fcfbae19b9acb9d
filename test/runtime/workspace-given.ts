import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { openWorkspace, type WorkspaceOptions } from '../../src/runtime/workspace.ts'
import type { LogFields, Logger } from '../../src/telemetry/log.ts'

/** A workspace root and, beside it, what no tool may reach. */
export function roomFor(t: TestContext) {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), 'toolgate-workspace-')))
  t.after(() => rmSync(dir, { recursive: true, force: true }))
  return { root: join(dir, 'workspace'), outside: join(dir, 'outside') }
}

/** Opens a folder of the tool `files`, which is let go of when the test ends. */
export async function openIn(
  t: TestContext,
  root: string,
  more: Partial<Omit<WorkspaceOptions, 'workspace'>> = {},
  per: WorkspaceOptions['workspace']['per'] = 'tool',
) {
  const workspace = { access: 'read-write', per } as const
  const plain = { root, tool: 'files', owner: undefined, user: null, log: logInto([]) }
  const opened = await openWorkspace({ ...plain, workspace, ...more })
  t.after(() => opened.release())
  const { folder } = opened
  if (folder === null) throw new Error('There is no folder.')
  return { ...opened, folder }
}

export function ownedBy(caller: string | null) {
  return { owner: { caller, link: 'link' } }
}

/** A log whose lines go into `lines`, with the message of an error beside it. */
export function logInto(lines: LogFields[]): Logger {
  const write = (fields: LogFields, message: string) => {
    const { err } = fields
    lines.push({ ...fields, message, why: err instanceof Error ? err.message : undefined })
  }
  return { debug: write, info: write, warn: write, error: write, child: () => logInto(lines) }
}
