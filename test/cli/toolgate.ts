import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { MEASURED, MEASURED_ENV } from '../harness/measured.ts'

export const MAIN = join(import.meta.dirname, '../../src/main.js')

export interface Outcome {
  readonly code: number | string | null | undefined
  readonly stdout: string
  readonly stderr: string
}

/** Runs one command line in `cwd`, with a cache and a home of its own there. */
export function toolgate(
  cwd: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Outcome> {
  const options = {
    cwd,
    env: {
      PATH: process.env.PATH,
      HOME: cwd,
      TOOLGATE_CACHE: join(cwd, '.cache'),
      ...MEASURED_ENV,
      ...env,
    },
    timeout: 120_000,
  }
  return new Promise((resolve) => {
    execFile(process.execPath, [...MEASURED, MAIN, ...args], options, (error, stdout, stderr) =>
      resolve({ code: error ? error.code : 0, stdout, stderr: stderr.replace(ENGINE, '') }),
    )
  })
}

/** Machines with a container engine have one warning more. */
const ENGINE = /^warning: The gateway can use the container engine at .*\n/gm

/** An empty folder that is gone after the test. */
export function emptyFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'toolgate-cli-'))
  t.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))
  return folder
}
