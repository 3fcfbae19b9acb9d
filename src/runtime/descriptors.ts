import { closeSync, readdirSync, readFileSync } from 'node:fs'

/**
 * Closes what this process was started with besides its three streams: every descriptor that is
 * not marked to be closed would be in every tool's hands too. To be called before anything is
 * opened. Linux only: elsewhere nobody can tell which they are.
 */
export function closeInherited(): void {
  if (process.platform !== 'linux') return
  // An IPC channel is Node's own, and it knows not to hand it on.
  for (const descriptor of readdirSync('/proc/self/fd').map(Number)) {
    if (descriptor < 3 || !isHandedOn(descriptor)) continue
    try {
      closeSync(descriptor)
    } catch {
      // The one that listed the folder is gone already.
    }
  }
}

/** Its flags, in octal, lack O_CLOEXEC (proc_pid_fdinfo(5)). */
function isHandedOn(descriptor: number): boolean {
  try {
    const [, flags = ''] =
      /^flags:\s*([0-7]+)/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, 'latin1')) ?? []
    return (Number.parseInt(flags, 8) & 0o2000000) === 0
  } catch {
    return false
  }
}
