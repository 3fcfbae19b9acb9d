import assert from 'node:assert/strict'

/** What an attack may know of the house it wants to get into. */
export interface House {
  readonly gatewayPid: number
  /** Paths on the host. */
  readonly config: string
  readonly workspace: string
  readonly cache: string
  readonly home: string
  /** Of another tool, on the host. */
  readonly neighbourPid: number
  /** TCP port that listens on the host's loopback. */
  readonly port: number
  readonly gatewayPort: number
  /** Names of unix sockets that listen on the host: one abstract, one with a path. */
  readonly abstractSocket: string
  readonly pathSocket: string
  /** Of the container engine that the gateway uses. */
  readonly engineSocket: string
}

export interface Attack {
  readonly title: string
  readonly by: 'sh' | 'python'
  script(house: House): string
  /** What it prints when it got through, besides `THROUGH` and the treasure. */
  readonly through?: RegExp
}

/** What a shell says of a program that every machine has; an attack without it is none. */
const MISSING = /\b(?:cat|grep|head|kill|ln|ls|mknod|mount|su|touch|tr|unshare): not found/

/** What is kept in places that no tool may read. */
export const TREASURE = 'treasure-8c1d0e72'

/**
 * Each succeeds in printing `THROUGH`, or `TREASURE`, where a wall is missing, and prints `ENDED`
 * last: one that broke off, for want of a program, say, shows nothing.
 */
export const ATTACKS: readonly Attack[] = [
  reads('the host’s password hashes', () => '/etc/shadow', 'root:[*!$]'),
  reads('the gateway’s environment', ({ gatewayPid }) => `/proc/${gatewayPid}/environ`),
  reads('the gateway’s memory', ({ gatewayPid }) => `/proc/${gatewayPid}/maps`),
  reads(
    'the gateway’s root through /proc',
    ({ gatewayPid }) => `/proc/${gatewayPid}/root/etc/shadow`,
  ),
  reads('the gateway’s configuration', ({ config }) => config),
  reads('a file in the home of the gateway', ({ home }) => `${home}/private`),
  reads('another tool’s folder', ({ workspace }) => `${workspace}/neighbour/private`),
  reads('another tool’s folder, climbing', () => '/workspace/../neighbour/private'),
  sh(
    'lists processes of others',
    () =>
      `cat /proc/[0-9]*/cmdline | tr '\\0' ' ' | grep -e '[m]ain.js serve' -e '[e]cho.mjs' && echo THROUGH`,
  ),
  sh('ends the gateway', ({ gatewayPid }) => `kill -9 ${gatewayPid} && echo THROUGH`),
  sh('ends another tool', ({ neighbourPid }) => `kill -9 ${neighbourPid} && echo THROUGH`),
  sh(
    'sees paths of the host',
    ({ cache }) =>
      `cat /proc/1/cmdline /proc/mounts | tr '\\0' ' ' | grep -F '${cache.slice(0, -1)}''${cache.slice(-1)}' && echo THROUGH`,
  ),
  sh('writes outside', ({ workspace, cache }) =>
    ['/x', '/usr/x', '/etc/x', '/dev/x', '/run/x', `${workspace}/x`, `${cache}/x`]
      .map((path) => `touch ${path} && echo THROUGH`)
      .join('; '),
  ),
  // Opened to be written, and not written: a wall that is missing must not be found the hard way.
  sh('writes the kernel’s settings', () =>
    ['sys/kernel/core_pattern', 'sys/kernel/modprobe', 'sys/vm/drop_caches', 'sysrq-trigger']
      .map((name) => `(: >> /proc/${name}) && echo THROUGH`)
      .join('; '),
  ),
  sh(
    'follows a symlink out of the workspace',
    ({ workspace }) =>
      `ln -sf / /workspace/out; cat /workspace/out${workspace}/neighbour/private && echo THROUGH; cat /workspace/out/etc/shadow && echo THROUGH`,
  ),
  sh(
    'opens devices',
    () =>
      'for d in /dev/mem /dev/kmsg /dev/vda /dev/sda /dev/kvm /dev/fuse; do head -c1 $d && echo THROUGH; done',
  ),
  sh('makes a device', () => 'mknod /tmp/sda b 8 0 && echo THROUGH'),
  sh('mounts', () => 'mount -t tmpfs none /tmp && echo THROUGH'),
  sh(
    'makes namespaces',
    () =>
      'unshare -U true && echo THROUGH; unshare -m true && echo THROUGH; unshare -Ur true && echo THROUGH',
  ),
  sh('becomes root', () => 'su -c true </dev/null && echo THROUGH; sudo -n true && echo THROUGH'),
  sh(
    'finds capabilities',
    () =>
      `grep -E '^Cap(Prm|Eff|Bnd|Amb)' /proc/self/status | grep -v 0000000000000000 && echo THROUGH`,
  ),
  sh(
    'finds descriptors of others',
    () => 'ls -l /proc/self/fd | grep -vE " (0|1|2|3) -> |total" && echo THROUGH',
  ),
  sh(
    'finds sockets of container engines',
    ({ engineSocket }) =>
      `for each in /var/run/docker.sock /run/docker.sock /run/podman/podman.sock /run/containerd ${engineSocket}; do [ -e $each ] && echo THROUGH; done`,
  ),
  ...[
    ['traces a process', 101, '0, 0, 0, 0'],
    ['mounts by itself', 165, 'b"none", b"/tmp", b"tmpfs", 0, 0'],
    ['opens a mount tree', 428, '-100, b"/", 1'],
    ['leaves its root', 161, 'b"/tmp"'],
    ['makes a user namespace', 272, '0x10000000'],
    ['loads BPF', 321, '0, 0, 0'],
    ['replaces the kernel', 246, '0, 0, 0, 0'],
    ['loads a module', 175, '0, 0, b""'],
    ['reaches the kernel’s keyrings', 250, '0, 0xfffffffd, 0'],
    ['adds a key', 248, 'b"user", b"k", b"v", 1, 0xfffffffe'],
    ['sets up io_uring', 425, '8, 0'],
    ['reads a foreign process', 310, '1, 0, 0, 0, 0, 0'],
    ['watches with perf', 298, '0, 0, -1, -1, 0'],
    ['opens a file by its handle', 304, '0, 0, 0'],
    ['takes over page faults', 323, '0'],
  ].map(([title, number, args]) => calls(String(title), Number(number), String(args))),
  python(
    'wins a race of renames against whoever looks at a path',
    ({ workspace }) => `import os, time
os.makedirs('/workspace/a', exist_ok=True)
try: os.symlink('/', '/workspace/b')
except FileExistsError: pass
end = time.time() + 1
while time.time() < end:
    for one, other in (('a', 'b'), ('b', 'a')):
        try:
            os.rename('/workspace/' + one, '/workspace/c')
            os.rename('/workspace/' + other, '/workspace/' + one)
            os.rename('/workspace/c', '/workspace/' + other)
        except OSError: pass
        for path in ('/workspace/a', '/workspace/b'):
            for inner in ('/etc/shadow', '${workspace}/neighbour/private'):
                try: print('THROUGH', open(path + inner).read())
                except OSError: pass`,
  ),
  python('connects to an abstract socket', ({ abstractSocket }) => unix(`"\\0${abstractSocket}"`)),
  python('connects to a unix socket of the host', ({ pathSocket }) =>
    unix(JSON.stringify(pathSocket)),
  ),
  python('connects to the container engine', ({ engineSocket }) =>
    unix(JSON.stringify(engineSocket)),
  ),
  python('connects to a service on the host’s loopback', ({ port }) => tcp('127.0.0.1', port)),
  python('connects to the gateway', ({ gatewayPort }) => tcp('127.0.0.1', gatewayPort)),
  python('asks the metadata service', () => tcp('169.254.169.254', 80)),
  python('connects to the world', () => tcp('1.2.3.4', 443)),
  python(
    'opens a raw socket',
    () => 'import socket\nsocket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)\nprint("THROUGH")',
  ),
]

/** That it went to its end with what it needs, and got through nowhere. */
export function assertRepelled(
  said: string,
  { through = /(?!)/ }: Attack,
  got = GOT_THROUGH,
): void {
  assert.doesNotMatch(said, got)
  assert.doesNotMatch(said, through)
  assert.match(said, /^ENDED$/m)
  assert.doesNotMatch(said, MISSING)
}

/** What an attack prints that got through. */
export const GOT_THROUGH = new RegExp(`THROUGH|${TREASURE}`)

function reads(what: string, path: (house: House) => string, through = ''): Attack {
  return {
    ...sh(`reads ${what}`, (house) => `cat '${path(house)}' && echo THROUGH`),
    ...(through !== '' && { through: new RegExp(through) }),
  }
}

function sh(title: string, script: (house: House) => string): Attack {
  return { title, by: 'sh', script: (house) => `${script(house)}; echo ENDED` }
}

function python(title: string, script: (house: House) => string): Attack {
  // Only what the system refuses is a refusal: not a module that is missing.
  const guarded = (house: House) => `try: exec(${JSON.stringify(script(house))})
except OSError as refusal: print(refusal)
print('ENDED')`
  return { title, by: 'python', script: guarded }
}

/** A system call by its number on x86-64: it has to fail for want of permission. */
function calls(title: string, number: number, args: string): Attack {
  return python(
    `${title} (${number})`,
    () => `import ctypes, errno
libc = ctypes.CDLL(None, use_errno=True)
result = libc.syscall(${number}, ${args})
why = errno.errorcode.get(ctypes.get_errno(), '?')
print('REFUSED' if result == -1 and why in ('EPERM', 'ENOSYS', 'EACCES') else f'THROUGH {result} {why}')`,
  )
}

function unix(address: string): string {
  return `import socket
s = socket.socket(socket.AF_UNIX)
s.settimeout(2)
s.connect(${address})
print("THROUGH")`
}

function tcp(host: string, port: number): string {
  return `import socket
s = socket.create_connection(("${host}", ${port}), timeout=2)
print("THROUGH")`
}
