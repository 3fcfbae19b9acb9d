import { isAbsolute } from 'node:path'

/** Where the value of a secret comes from; never the value itself. */
export type SecretSource =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'env' | 'mounted'; readonly name: string }

/** Reads `file:/absolute/path`, `env:NAME` or `mounted:NAME`; undefined where it is none of them. */
export function parseSource(text: string): SecretSource | undefined {
  const kind = text.slice(0, text.indexOf(':'))
  const rest = text.slice(kind.length + 1)
  if (kind === 'file' && isAbsolute(rest)) return { kind, path: rest }
  if (kind === 'env' && isVariable(rest)) return { kind, name: rest }
  if (kind === 'mounted' && isMounted(rest)) return { kind, name: rest }
  return undefined
}

export function isVariable(text: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(text)
}

/** A variable that the gateway sets itself, or that makes a program load other code. */
export function isReserved(name: string): boolean {
  const upper = name.toUpperCase()
  return OURS.has(upper) || isHeeded(name)
}

/** One that a loader, or the gateway, acts upon in whatever starts the tool, before itself. */
export function isHeeded(name: string): boolean {
  return /^(?:X_TOOLGATE_|LD_|DYLD_|(?:GCONV_PATH|GLIBC_TUNABLES)$)/i.test(name)
}

const OURS: ReadonlySet<string> = new Set([
  'PATH',
  'HOME',
  'LANG',
  'LC_ALL',
  'TZ',
  'TMPDIR',
  'PATHEXT',
  'SYSTEMROOT',
  'TEMP',
  'TMP',
  'USERPROFILE',
  'APPDATA',
  'TRACEPARENT',
  'TRACESTATE',
  'NODE_OPTIONS',
  'NODE_V8_COVERAGE',
  '__PROTO__',
])

/** As Docker and Kubernetes name secrets: one file of the folder, never the folder or another. */
function isMounted(name: string): boolean {
  return /^[A-Za-z0-9._-]{1,253}$/.test(name) && !/^\.+$/.test(name)
}
