import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'

/**
 * What runs a gateway as a user without any rights, for `within` of `startGateway`; `more` are
 * paths that it has to reach. It is given a root in which the checkout is there, wherever it lies.
 */
export function asUser(id: number, dir: string, ...more: readonly string[]): string[] {
  execFileSync('chown', ['-R', `${id}:${id}`, dir])
  const links = ['bin', 'sbin', 'lib', 'lib64'].filter((name) => existsSync(`/usr/${name}`))
  const node = dirname(dirname(process.execPath))
  const writable = [dir, ...more]
  return [
    ...['bwrap', '--die-with-parent', '--ro-bind', '/usr', '/usr', '--ro-bind', '/etc', '/etc'],
    ...links.flatMap((name) => ['--symlink', `usr/${name}`, `/${name}`]),
    ...['--dev-bind', '/dev', '/dev', '--bind', '/proc', '/proc', '--tmpfs', '/tmp'],
    ...[ROOT, node, ...writable].flatMap((path) =>
      foldersAbove(path).flatMap((each) => ['--dir', each]),
    ),
    ...['--ro-bind', ROOT, ROOT, '--ro-bind', node, node],
    ...[...writable.flatMap((path) => ['--bind', path, path]), '--'],
    ...['setpriv', '--reuid', String(id), '--regid', String(id), '--clear-groups', '--'],
  ]
}

/** Made by itself, bubblewrap lets root alone enter them. */
function foldersAbove(path: string): string[] {
  const above = dirname(path)
  return above === '/' ? [] : [...foldersAbove(above), above]
}

const ROOT = join(import.meta.dirname, '../..')
