import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import type Docker from 'dockerode'
import { importFolder } from '../harness/engine.ts'
import { programPath } from '../harness/services.ts'

/** The name of the image that attackers have: Node, a shell with the usual programs, Python. */
export const ARMED = 'localhost/toolgate-test/armed:latest'

const PROGRAMS =
  'sh cat ls touch grep tr head ln mknod mount unshare su rm mv sleep stat setsid id kill'.split(
    ' ',
  )

/** Makes it of what this machine has: there is no network to pull one from. Resolves with its id. */
export async function armImage(docker: Docker): Promise<string> {
  const stage = mkdtempSync(join(tmpdir(), 'toolgate-armed-'))
  try {
    // Some engines give the root of an image what this has.
    chmodSync(stage, 0o755)
    const python = realpathSync('/usr/bin/python3')
    const programs = PROGRAMS.flatMap((name) => programPath(name) ?? [])
    put(stage, process.execPath, '/usr/local/bin/node')
    put(stage, new URL('../fixtures', import.meta.url).pathname, '/app')
    put(stage, python, '/usr/bin/python3')
    put(stage, `/usr/lib/${basename(python)}`, `/usr/lib/${basename(python)}`)
    for (const program of programs) put(stage, realpathSync(program), `/bin/${basename(program)}`)
    const linked = [process.execPath, python, ...programs].flatMap(librariesOf)
    const modules = execFileSync('find', [
      `/usr/lib/${basename(python)}/lib-dynload`,
      '-name',
      '*.so',
    ])
    const more = String(modules).trim().split('\n').flatMap(librariesOf)
    for (const library of new Set([...linked, ...more])) put(stage, library, library)
    for (const folder of ['tmp', 'etc', 'workspace'])
      mkdirSync(join(stage, folder), { recursive: true })
    const changes = ['ENTRYPOINT ["/usr/local/bin/node"]', 'CMD ["/app/runs-scripts.mjs"]']
    return await importFolder(docker, stage, ARMED, changes)
  } finally {
    rmSync(stage, { recursive: true, force: true })
  }
}

function put(stage: string, source: string, target: string): void {
  mkdirSync(dirname(join(stage, target)), { recursive: true })
  symlinkSync(source, join(stage, target))
}

function librariesOf(program: string): string[] {
  try {
    const text = String(execFileSync('ldd', [program], { stdio: ['ignore', 'pipe', 'ignore'] }))
    return [...text.matchAll(/(?:=> )?(\/\S+) \(0x/g)].map(([, path]) => String(path))
  } catch {
    return []
  }
}
