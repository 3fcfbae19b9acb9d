import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { seccompFilter } from '../../../src/runtime/cell/seccomp/filter.ts'
import { mountFlags, readOnly, systemView } from '../../../src/runtime/cell/view.ts'
import { absent } from '../../harness/services.ts'

const root = process.getuid?.() === 0
const filter = seccompFilter(process.arch)
const cells =
  absent('bwrap') || (root && absent('setpriv')) || (filter ? false : 'there is no filter here')
const python = cells || absent('python3')
const git = cells || absent('git')

/** Numbers on x86-64 and arm64; arguments with which another error says that nothing refused. */
const CALLS: Record<string, readonly [number, number, ...(readonly number[])]> = {
  ptrace: [101, 117, 0],
  process_vm_readv: [310, 270, 1],
  process_madvise: [440, 440, 2 ** 31 - 1],
  kcmp: [312, 272, 2 ** 31 - 1, 2 ** 31 - 1],
  pidfd_getfd: [438, 438, 2 ** 31 - 1],
  mount: [165, 40, 1, 1, 1, 0, 1],
  umount2: [166, 39, 1],
  move_mount: [429, 429],
  open_tree: [428, 428, 2 ** 31 - 1, 1, 0],
  chroot: [161, 51, 1],
  setns: [308, 268, 2 ** 31 - 1],
  'unshare a user namespace': [272, 97, 0x10000000],
  'unshare what will be': [272, 97, 2],
  'clone into a user namespace': [56, 220, 0x10010000],
  bpf: [321, 280, 99],
  perf_event_open: [298, 241, 1],
  userfaultfd: [323, 282, 1],
  memfd_secret: [447, 447, 0xff],
  kexec_load: [246, 104],
  init_module: [175, 105],
  finit_module: [313, 273],
  keyctl: [250, 219, 0, 0xfffffffd, 0],
  add_key: [248, 217, 1],
  request_key: [249, 218, 1],
  io_uring_setup: [425, 425, 0, 1],
  io_uring_enter: [426, 426, 2 ** 31 - 1],
  io_uring_register: [427, 427, 2 ** 31 - 1],
  open_by_handle_at: [304, 265, 2 ** 31 - 1],
  name_to_handle_at: [303, 264, 2 ** 31 - 1, 1, 1],
  fanotify_init: [300, 262, 0x200],
  clock_settime: [227, 112, 99],
  settimeofday: [164, 170, 1],
  reboot: [169, 142],
  swapon: [167, 224, 1],
  syslog: [103, 116, 3],
  sethostname: [170, 161, 1, 1000],
  mbind: [237, 235, 1],
  'a personality without random addresses': [135, 92, 0x40000],
  'typing into a terminal': [16, 29, 2 ** 31 - 1, 0x5412],
  'typing into a terminal, written otherwise': [16, 29, 2 ** 31 - 1, 2 ** 32 + 0x5412],
}

/** These the kernel refuses without our help, to who has no capability. */
const REFUSED_ANYWAY = [
  ...['move_mount', 'kexec_load', 'init_module', 'finit_module', 'reboot', 'swapon', 'syslog'],
  'sethostname',
]

test('what reaches out of a cell is refused to a real program', { skip: python }, async () => {
  const refused = Object.keys(CALLS).map((name) => [name, 'EPERM'])
  assert.deepEqual(await makeCalls(CALLS), Object.fromEntries(refused))
})

test('without the filter the kernel would have gone on', { skip: python }, async () => {
  const made = Object.entries(await makeCalls(CALLS, false))
  const refused = made.flatMap(([name, became]) => (became === 'EPERM' ? [name] : []))
  assert.deepEqual(
    refused.filter((name) => !REFUSED_ANYWAY.includes(name)),
    [],
  )
})

test('what a program can do without is not there', { skip: python }, async () => {
  const made = await makeCalls({
    clone3: [435, 435, 0, 88],
    'a call of tomorrow': [470, 470],
    'a number of no call': [400, 400],
    'a call of the x32 ABI': [0x40000027, 0x40000027],
    'a raw socket of no network': [41, 198, 17, 3, 0],
    'a socket to the hypervisor': [41, 198, 40, 1, 0],
  })
  assert.deepEqual(made, {
    clone3: 'ENOSYS',
    'a call of tomorrow': 'ENOSYS',
    'a number of no call': 'ENOSYS',
    'a call of the x32 ABI': 'ENOSYS',
    'a raw socket of no network': 'EAFNOSUPPORT',
    'a socket to the hypervisor': 'EAFNOSUPPORT',
  })
})

test('a program works in it: files, processes, threads and sockets', { skip: cells }, async () => {
  const program = `
    const { execFileSync, spawn } = require('node:child_process')
    const { once } = require('node:events')
    const { createServer } = require('node:http')
    const { Worker } = require('node:worker_threads')
    const work = async () => {
      const shell = execFileSync('sh', ['-c', 'echo a > f && cat f | tr a b'], { encoding: 'utf8' })
      const child = spawn(process.execPath, ['-p', 'process.getuid()'])
      const [user] = await once(child.stdout.setEncoding('utf8'), 'data')
      const thread = new Worker('require("node:worker_threads").parentPort.postMessage(1 + 1)', { eval: true })
      const [sum] = await once(thread, 'message')
      const server = createServer((_, response) => response.end('served')).listen(0, '127.0.0.1')
      await once(server, 'listening')
      const answer = await fetch('http://127.0.0.1:' + server.address().port)
      const said = await answer.text()
      server.close()
      const interfaces = Object.keys(require('node:os').networkInterfaces())
      console.log(JSON.stringify({ shell, user: Number(user), sum, said, interfaces }))
    }
    work()`
  assert.deepEqual(JSON.parse(await run([process.execPath, '-e', program], [process.execPath])), {
    shell: 'b\n',
    user: root ? 65_534 : process.getuid?.(),
    sum: 2,
    said: 'served',
    interfaces: ['lo'],
  })
})

test('git works in it', { skip: git }, async () => {
  const commit = 'git -c user.name=a -c user.email=a@b.c commit -q --allow-empty -m one'
  const said = await run(['sh', '-c', `git init -q r && cd r && ${commit} && git log --format=%s`])
  assert.equal(said, 'one\n')
})

async function makeCalls(calls: typeof CALLS, filtered = true): Promise<Record<string, string>> {
  const numbered = Object.entries(calls).map(([name, [x64, arm64, ...args]]) => [
    name,
    [process.arch === 'x64' ? x64 : arm64, ...args],
  ])
  const where = 'import sys; print(sys.executable, sys.base_prefix, sep="\\n")'
  const told = execFileSync('python3', ['-c', where], { encoding: 'utf8' })
  const [python, prefix] = told.split('\n') as [string, string]
  const command = [python, SCRIPT, JSON.stringify(Object.fromEntries(numbered))]
  return JSON.parse(await run(command, [prefix, SCRIPT], filtered))
}

const SCRIPT = join(import.meta.dirname, '../../fixtures/make-system-calls.py')

/** What a command prints in a cell; under root it is taken out of root, as tools are. */
async function run(command: readonly string[], paths: readonly string[] = [], filtered = true) {
  const ids = ['--reuid', '65534', '--regid', '65534', '--clear-groups']
  const drop = ['setpriv', ...ids, '--inh-caps=-all', '--bounding-set=-all', '--no-new-privs', '--']
  const namespaces = ['--unshare-pid', '--unshare-ipc', '--unshare-net', '--unshare-uts']
  const mounts = mountFlags([...systemView(), ...paths.filter(isNew).map((path) => readOnly(path))])
  const child = spawn(
    'bwrap',
    [
      ...[...namespaces, ...(root ? [] : ['--unshare-user']), '--new-session', '--die-with-parent'],
      ...['--proc', '/proc', '--dev', '/dev', '--perms', '1777', '--tmpfs', '/tmp', ...mounts],
      ...['--chdir', '/tmp', ...(filtered ? ['--seccomp', '3'] : []), '--'],
      ...[...(root ? drop : []), ...command],
    ],
    {
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      env: { PATH: '/usr/bin:/bin', HOME: '/tmp' },
      timeout: 60_000,
    },
  )
  const [, out, err, given] = child.stdio as unknown as [null, Readable, Readable, Writable]
  // It ends early where bubblewrap is not told of it.
  given.on('error', () => {})
  given.end(filter)
  const [said, complaint] = await Promise.all([text(out), text(err)])
  assert.equal(complaint, '')
  return said
}

function isNew(path: string): boolean {
  return !path.startsWith('/usr')
}
