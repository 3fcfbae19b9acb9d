import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'

/** The revisions whose requirements the suite has frozen. */
export type Revision = '2025-11-25' | '2026-07-28'

export interface Scenario {
  readonly name: string
  /** Whether it counts for the revision; the others are run to be seen. */
  readonly scored: boolean
  /** As the suite counts: it passes unless a check failed, even where all were skipped. */
  readonly status: 'pass' | 'fail'
  /** Ids of the checks that passed; one id may have passed more than once. */
  readonly passed: readonly string[]
  readonly failed: readonly Check[]
  /** What the specification says should be, and is not. */
  readonly warnings: readonly Check[]
}

export interface Check {
  readonly id: string
  readonly message: string
}

export interface RunOptions {
  /** Milliseconds for the whole run, then it is killed and the rest has failed. 3 minutes. */
  readonly timeout?: number
  /** Milliseconds for each scenario, then it has failed. 30 seconds. */
  readonly scenarioTimeout?: number
}

/**
 * Runs all that `revision` requires of a server, then what it does not score, against the MCP
 * endpoint at `url`, in a process of its own. Scenarios come in the suite's order. Throws where
 * the suite did not run at all.
 */
export function runRequirements(
  url: string,
  revision: Revision,
  options: RunOptions = {},
): Promise<Scenario[]> {
  const { scored, unscored } = requirementsOf(revision)
  return run(['--url', url, '--requirements', revision], [...scored, ...unscored], scored, options)
}

/** Runs one scenario on the wire of `revision`, scored or not, even where the suite would skip it. */
export async function runScenario(
  url: string,
  revision: Revision,
  name: string,
  options: RunOptions = {},
): Promise<Scenario> {
  const args = ['--url', url, '--scenario', name, '--spec-version', revision, '--force']
  const [scenario] = await run(args, [name], requirementsOf(revision).scored, options)
  if (scenario === undefined) throw new Error(`No result of ${name}`)
  return scenario
}

/** Such as `36/37`, of what is scored. */
export function scoreOf(scenarios: readonly Scenario[]): string {
  const scored = scenarios.filter((scenario) => scenario.scored)
  return `${scored.filter(({ status }) => status === 'pass').length}/${scored.length}`
}

/** A line for each check that failed, for the message of an assertion. */
export function failuresOf(scenarios: readonly Scenario[]): string[] {
  return scenarios.flatMap(({ name, failed }) =>
    failed.map(({ id, message }) => `${name}: ${id}: ${message}`),
  )
}

const SUITE = fileURLToPath(
  new URL('../../node_modules/@modelcontextprotocol/conformance/', import.meta.url),
)

async function run(
  args: readonly string[],
  names: readonly string[],
  scored: readonly string[],
  { timeout = 180_000, scenarioTimeout = 30_000 }: RunOptions,
): Promise<Scenario[]> {
  const dir = mkdtempSync(join(tmpdir(), 'toolgate-conformance-'))
  try {
    const limits = ['--timeout', String(scenarioTimeout), '--output-dir', dir]
    const said = await suite(['server', ...args, ...limits], dir, timeout)
    const found = checksIn(dir)
    if (found.size === 0 && !said.killed)
      throw new Error(`The conformance suite ran nothing.\n${said.text}`)
    const absence = said.killed ? 'The run was killed before its end.' : 'It left no result.'
    const absent = `${absence}\n${said.text}`
    return names.map((name) => scenarioOf(name, scored.includes(name), found.get(name), absent))
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

/** Resolves with some of what it said: it exits with 1 where a check has failed. */
function suite(args: readonly string[], cwd: string, timeout: number): Promise<Said> {
  const { PATH } = process.env
  const options = {
    cwd,
    timeout,
    // What it runs of itself is not ours to cover.
    env: { PATH, NODE_V8_COVERAGE: undefined },
    killSignal: 'SIGKILL',
    maxBuffer: 2 ** 26,
  } as const
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [join(SUITE, 'dist/index.js'), ...args],
      options,
      (error, out, err) =>
        resolve({
          killed: error?.killed === true,
          text: `${out.slice(-1000)}${err.slice(0, 1000)}`,
        }),
    )
  })
}

interface Said {
  readonly killed: boolean
  readonly text: string
}

interface Finding {
  readonly id: string
  readonly status: 'SUCCESS' | 'FAILURE' | 'WARNING' | 'SKIPPED' | 'INFO'
  readonly description: string
  readonly errorMessage?: string
}

/** Its folders are named `server-{scenario}-{time}`. */
function checksIn(dir: string): Map<string, Finding[]> {
  const found = new Map<string, Finding[]>()
  for (const folder of readdirSync(dir)) {
    const name = /^server-(.+)-\d{4}-\d\d-\d\dT[\d-]+Z$/.exec(folder)?.[1]
    const checks = readOrNothing(join(dir, folder, 'checks.json'))
    if (name && checks) found.set(name, checks)
  }
  return found
}

function scenarioOf(
  name: string,
  scored: boolean,
  findings: readonly Finding[] | undefined,
  absent: string,
): Scenario {
  const of = (status: Finding['status']) => findings?.filter((check) => check.status === status)
  const failed = of('FAILURE')?.map(inWords) ?? [{ id: name, message: absent }]
  return {
    name,
    scored,
    status: failed.length === 0 ? 'pass' : 'fail',
    passed: of('SUCCESS')?.map(({ id }) => id) ?? [],
    failed,
    warnings: of('WARNING')?.map(inWords) ?? [],
  }
}

function inWords({ id, description, errorMessage }: Finding): Check {
  return { id, message: errorMessage ?? description }
}

/** The scenarios that are run against a server, as the suite's own list has them. */
function requirementsOf(revision: Revision) {
  const list: {
    readonly server: readonly string[]
    readonly not_scored: readonly { readonly scenario: string; readonly leg: string }[]
  } = parse(readFileSync(join(SUITE, `requirements/${revision}.yaml`), 'utf8'))
  const unscored = list.not_scored.filter(({ leg }) => leg === 'server')
  return { scored: list.server, unscored: unscored.map(({ scenario }) => scenario) }
}

/** Nothing where a killed run had not written it, or not to its end. */
function readOrNothing(path: string): Finding[] | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return undefined
  }
}
