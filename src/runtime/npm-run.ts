import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { MARK, markOf } from '../mark.ts'
import { ProcessGroup } from './group.ts'

export interface NpmRun {
  /** Path of `npm-cli.js`. */
  readonly npm: string
  /** The folder to install into. */
  readonly folder: string
  readonly spec: string
  readonly timeout: number
  readonly signal: AbortSignal
  readonly env: Readonly<Record<string, string | undefined>>
}

/** Installs without scripts; gives why it failed, in npm's own words, or undefined. */
export async function runNpm({ npm, folder, spec, timeout, signal, env }: NpmRun) {
  const child = spawn(process.execPath, [npm, 'install', ...FLAGS, '--prefix', folder, spec], {
    cwd: folder,
    env: { ...allowed(env), [MARK]: markOf('npm') },
    detached: process.platform !== 'win32',
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const { promise, resolve } = Promise.withResolvers<string | undefined>()
  const group = child.pid === undefined ? undefined : new ProcessGroup(child.pid)
  let said = ''
  let reason: string | undefined
  const end = (why: string) => {
    reason ??= why
    if (group?.signal('SIGKILL') !== true) child.kill('SIGKILL')
  }
  const timer = setTimeout(() => end(`npm took longer than ${timeout} ms`), timeout)
  const stop = () => end('the start was given up')
  signal.addEventListener('abort', stop)
  if (signal.aborted) stop()

  child.stderr.setEncoding('utf8')
  child.stderr.on('data', (text: string) => {
    said = (said + text).slice(-MOST)
  })
  child.on('error', (error) => resolve(reason ?? error.message))
  child.on('exit', () => group?.signal('SIGKILL'))
  child.on('close', (code) => {
    if (code === 0 && reason === undefined) resolve(undefined)
    else resolve(reason ?? (lastLines(said) || `npm ended with code ${code}`))
  })
  try {
    return await promise
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', stop)
    void group?.release()
  }
}

const FLAGS = [
  '--ignore-scripts',
  '--no-audit',
  '--no-fund',
  '--no-progress',
  '--no-update-notifier',
  '--no-bin-links',
  '--omit=dev',
  '--loglevel=error',
]

/** Most bytes kept of what npm says. */
const MOST = 8 * 2 ** 10

/** What npm needs to reach a registry; nothing else of the gateway's environment is passed on. */
const NAMES =
  /^(?:PATH|HOME|USERPROFILE|APPDATA|SystemRoot|TEMP|TMP|TMPDIR|LANG|NODE_EXTRA_CA_CERTS|SSL_CERT_FILE|SSL_CERT_DIR|https?_proxy|no_proxy|npm_config_(?:registry|userconfig|globalconfig|cache|cafile|proxy|https_proxy|noproxy|strict_ssl))$/i

function allowed(env: NpmRun['env']): Record<string, string> {
  const passed: Record<string, string> = {}
  for (const [name, value] of Object.entries(env)) {
    if (value !== undefined && NAMES.test(name) && !invented(name, value)) passed[name] = value
  }
  return passed
}

/** `npm start` sets these for its scripts, from its `--prefix` or to nothing, whatever was meant. */
function invented(name: string, value: string): boolean {
  if (/^npm_config_globalconfig$/i.test(name)) return !existsSync(value)
  return value === '' && /^npm_config_/i.test(name)
}

/** The last lines npm meant: not its hint at a log file. */
function lastLines(said: string): string {
  const lines = said.split('\n').map((line) => line.replace(/^npm (?:error|ERR!)\s?/, '').trim())
  const told = lines.filter((line) => line !== '' && !/complete log of this run|_logs/.test(line))
  return told.slice(-4).join(' ').slice(-1_000).replace(/\.$/, '')
}
