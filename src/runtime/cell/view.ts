import { existsSync, lstatSync, readlinkSync, realpathSync } from 'node:fs'
import { dirname, resolve } from 'node:path'

/** One thing that is seen in a cell, as bubblewrap is told. */
export interface Mount {
  readonly kind: 'read-only' | 'read-write' | 'link'
  /** On the host; of a link, where it leads. */
  readonly source: string
  /** In the cell. */
  readonly target: string
}

/** What nearly every program needs: the system's programs and libraries, and facts about it. */
export function systemView(): readonly Mount[] {
  folders ??= FOLDERS.flatMap(folder)
  return [...folders, ...FACTS.flatMap(fact)]
}

let folders: readonly Mount[] | undefined

/** As one reads them in `explain`. */
export const SYSTEM = '/usr and the libraries, certificates and time zone of the system'

const FOLDERS = ['/usr', '/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32', '/nix/store']

/** No host names, users, mounts or keys among them. */
const FACTS = [
  'alternatives',
  'ca-certificates',
  'ca-certificates.conf',
  'crypto-policies',
  'fonts',
  'ld.so.cache',
  'ld.so.conf',
  'ld.so.conf.d',
  'localtime',
  'magic',
  'mime.types',
  'nsswitch.conf',
  'pki/ca-trust',
  'pki/tls/cert.pem',
  'pki/tls/certs',
  'protocols',
  'services',
  'ssl/certs',
  'ssl/cert.pem',
  'ssl/openssl.cnf',
  'timezone',
].map((name) => `/etc/${name}`)

function folder(path: string): Mount[] {
  if (!existsSync(path)) return []
  // Where /usr is merged these are links, and stay so.
  return lstatSync(path).isSymbolicLink()
    ? [{ kind: 'link', source: readlinkSync(path), target: path }]
    : [readOnly(path)]
}

/**
 * Links into `/usr` stay links: the name of the time zone is read off where `/etc/localtime` leads.
 * Without one all zones are compared with it, which takes Node 10 ms.
 */
function fact(path: string): Mount[] {
  if (!existsSync(path)) return []
  if (lstatSync(path).isSymbolicLink()) {
    const source = readlinkSync(path)
    const places = [resolve(dirname(path), source), realpathSync(path)]
    if (places.every((place) => place.startsWith('/usr/'))) {
      return [{ kind: 'link', source, target: path }]
    }
  }
  return [readOnly(path)]
}

/** Whether a path is seen in the cell because of one of the mounts, by a link or not. */
export function isSeen(path: string, mounts: readonly Mount[]): boolean {
  return mounts.some(({ kind, source, target }) => {
    const lies = path === target || path.startsWith(`${target}/`)
    if (!lies || kind !== 'link') return lies
    const leads = resolve(dirname(target), source) + path.slice(target.length)
    return leads !== path && isSeen(leads, mounts)
  })
}

/** A path of the host, read-only, at itself or elsewhere. */
export function readOnly(source: string, target = source): Mount {
  return { kind: 'read-only', source, target }
}

/** The flags of bubblewrap for mounts, in an order in which none hides another. */
export function mountFlags(mounts: readonly Mount[]): string[] {
  // What is seen at one place is mounted there once.
  const places = new Map(mounts.map((mount) => [mount.target, mount]))
  const shown = [...places.values()].filter(({ kind, target }) => {
    // A folder that is mounted has its own, which bubblewrap would not replace.
    return kind !== 'link' || !isSeen(dirname(target), mounts)
  })
  const outermost = shown.toSorted((a, b) => depth(a.target) - depth(b.target))
  // Left alone, bubblewrap makes folders that only root may enter.
  const folders = new Set(outermost.flatMap(({ target }) => foldersAbove(target)))
  const made = [...folders].filter((path) => !isSeen(path, mounts))
  return [
    ...made.flatMap((path) => ['--dir', path]),
    ...outermost.flatMap(({ kind, source, target }) => [FLAGS[kind], source, target]),
  ]
}

/** From the outermost inwards, without the root. */
function foldersAbove(target: string): string[] {
  const names = target.split('/').slice(1, -1)
  return names.map((_, index) => `/${names.slice(0, index + 1).join('/')}`)
}

const FLAGS = { 'read-only': '--ro-bind', 'read-write': '--bind', link: '--symlink' } as const

function depth(path: string): number {
  return path.split('/').length
}
