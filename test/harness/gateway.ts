import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { MEASURED, MEASURED_ENV } from './measured.ts'
import { descendants, isAlive, marked } from './processes.ts'
import { raw } from './raw.ts'
import { type ToolSource, type ToolsFolder, toolsFolder } from './tools-folder.ts'
import { until, within } from './until.ts'
import { warmCache } from './warm-cache.ts'

const MAIN = fileURLToPath(new URL('../../src/main.js', import.meta.url))
const START = 30_000
/** Milliseconds to end by itself, with its coverage written, before it is killed. */
const GRACE = 3000

export type LogLine = { readonly msg?: string } & Readonly<Record<string, unknown>>

export interface GatewayOptions {
  readonly tools?: Readonly<Record<string, ToolSource>>
  /** What goes into the configuration file besides the folders and the ports. */
  readonly config?: Readonly<Record<string, unknown>>
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** Words before its command line, for its folder: such as a program that makes another user of it. */
  readonly within?: (dir: string) => readonly string[]
}

export interface Gateway {
  /** Such as `http://127.0.0.1:41234`, without a path. */
  readonly url: string
  readonly pid: number
  readonly tools: ToolsFolder
  readonly workspace: string
  /** Every line of its stdout that is JSON, as it came. */
  readonly logs: readonly LogLine[]
  /** Everything it wrote to stderr. */
  readonly stderr: () => string
  waitForLog(what: string, predicate: (line: LogLine) => boolean, ms?: number): Promise<LogLine>
  /** Ids of the processes of its fixtures, wherever they went. */
  processes(): number[]
  signal(name: NodeJS.Signals): void
  /** Settles with the exit code, or with the signal that ended it. */
  readonly exit: Promise<number | string>
  /** Ends it and everything it started, and removes its folders. */
  stop(): Promise<void>
}

/** What ends with a test (`t`) or with its file (`{ after }` of node:test). */
export interface Owner {
  after(end: () => Promise<void>): void
}

/** Runs the real command line with folders of its own, on a free port, until its owner ends. */
export async function startGateway(owner: Owner, options: GatewayOptions = {}): Promise<Gateway> {
  const run = launchGateway(owner, options)
  const early = run.exit.then((code) => {
    throw new Error(`The gateway ended (${code}) before it listened.\n${run.report()}`)
  })
  const listening = run.waitForLog('listening', (line) => line.msg === 'listening', START)
  try {
    const { url } = await Promise.race([listening, early])
    const base = String(url).replace(/\/$/, '')
    await until('every tool file to be read', () => isReady(base), START)
    return { ...run, url: base }
  } catch (error) {
    // At the top of a test file nobody else would: its hooks do not run when it fails to load.
    await run.stop()
    throw error
  }
}

/** The same without waiting for it to listen: for starts that must fail. */
export function launchGateway(
  owner: Owner,
  options: GatewayOptions = {},
): Omit<Gateway, 'url'> & { report(): string } {
  const dir = mkdtempSync(join(tmpdir(), 'toolgate-test-'))
  const mark = `mark-${randomBytes(6).toString('hex')}`
  const paths = folders(dir, mark, options)
  const cache = options.env?.TOOLGATE_CACHE ?? warmCache(join(dir, 'cache'))
  const args = ['serve', '--port', '0', '--metrics-port', '0', '--config', paths.config]
  args.push('--tools', paths.tools.dir, '--workspace', paths.workspace, ...(options.args ?? []))
  const [program = process.execPath, ...words] = [
    ...(options.within?.(dir) ?? []),
    process.execPath,
    ...MEASURED,
  ]
  const child = spawn(program, [...words, MAIN, ...args], {
    cwd: dir,
    env: {
      PATH: process.env.PATH,
      HOME: dir,
      ...MEASURED_ENV,
      ...options.env,
      TOOLGATE_CACHE: cache,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const output = readOutput(child)
  const exit = once(child, 'close').then(([code, signal]) => code ?? signal)
  // Of whoever it runs within, only it itself is told to end.
  const own = () => Number(output.logs.find(({ msg }) => msg === 'listening')?.pid ?? child.pid)
  const stop = async () => {
    kill(own(), 'SIGTERM')
    await within(GRACE, 'the gateway to end', exit).catch(() => {})
    for (const pid of [child.pid ?? -1, own(), ...descendants(own()), ...marked(mark)]) kill(pid)
    await within(10_000, 'the gateway to be gone', exit)
    rmSync(dir, { recursive: true, force: true, maxRetries: 5 })
  }
  owner.after(stop)
  return {
    pid: child.pid ?? -1,
    ...paths,
    ...output,
    exit,
    stop,
    processes: () => marked(mark),
    signal: (name) => child.kill(name),
    report: () =>
      `${output.stderr()}\n${output.logs.map((line) => JSON.stringify(line)).join('\n')}`,
  }
}

async function isReady(url: string): Promise<boolean> {
  return (await raw(`${url}/ready`)).status === 200
}

function folders(dir: string, mark: string, { tools = {}, config = {} }: GatewayOptions) {
  const paths = { config: join(dir, 'gateway.yaml'), workspace: join(dir, 'workspace') }
  mkdirSync(join(dir, 'tools'))
  mkdirSync(paths.workspace)
  const folder = toolsFolder(join(dir, 'tools'), mark)
  for (const [name, source] of Object.entries(tools)) folder.write(name, source)
  writeFileSync(paths.config, JSON.stringify(config, null, 2))
  return { ...paths, tools: folder }
}

function readOutput(child: ChildProcess) {
  const logs: LogLine[] = []
  const waiting = new Set<(line: LogLine) => void>()
  let errors = ''
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    errors = (errors + chunk).slice(-100_000)
  })
  if (child.stdout === null) throw new Error('The gateway has no stdout.')
  createInterface({ input: child.stdout }).on('line', (text) => {
    if (!text.startsWith('{')) return
    const line: LogLine = JSON.parse(text)
    logs.push(line)
    for (const look of [...waiting]) look(line)
  })
  const waitForLog: Gateway['waitForLog'] = (what, predicate, ms = 10_000) => {
    const seen = logs.find(predicate)
    if (seen) return Promise.resolve(seen)
    let look: (line: LogLine) => void
    const found = new Promise<LogLine>((resolve) => {
      look = (line) => predicate(line) && resolve(line)
      waiting.add(look)
    })
    return within(ms, `a log line: ${what}`, found).finally(() => waiting.delete(look))
  }
  return { logs, stderr: () => errors, waitForLog }
}

function kill(pid: number, signal: NodeJS.Signals = 'SIGKILL'): void {
  if (pid > 0 && isAlive(pid)) process.kill(pid, signal)
}
