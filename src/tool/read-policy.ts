import { resolve } from 'node:path'
import type { ContainerPolicy, Policy } from './declaration.ts'
import { type Field, isRecord } from './mistakes.ts'
import type { Form } from './read-declaration.ts'
import { isHeeded, isReserved, isVariable, parseSource } from './secret-source.ts'

const KEYS = ['network', 'workspace', 'files', 'env', 'secrets', 'memory', 'cpus', 'processes']
const CONTAINER_KEYS = ['readOnly', 'capAdd', 'capDrop', 'securityOpt', 'tmpfs', 'user']

/** What a tool is given; absent is nothing. Plain data has the container's keys in `container`. */
export function readPolicy(field: Field, form: Form): Policy {
  const keys = [...KEYS, 'sandbox', ...(form.schema === undefined ? ['container'] : CONTAINER_KEYS)]
  if (!field.absent) field.object(keys)
  const memory = field.at('memory')
  const cpus = field.at('cpus')
  const processes = field.at('processes')
  const sandbox = field.at('sandbox')
  const env = readEnv(field.at('env'))
  return {
    network: readNetwork(field.at('network')),
    workspace: readWorkspace(field.at('workspace'), form),
    files: readFiles(field.at('files')),
    env,
    secrets: readSecrets(field.at('secrets'), env),
    memory: memory.absent ? null : (form.size(memory) ?? null),
    cpus: cpus.absent ? null : readCpus(cpus),
    processes: processes.absent ? null : (processes.count(1, 1e6) ?? null),
    sandbox: sandbox.absent ? 'required' : (sandbox.oneOf(['required', 'none']) ?? 'required'),
    container: readContainer(form.schema === undefined ? field.at('container') : field),
  }
}

const NETWORKS = ['none', 'egress', 'host'] as const

function readNetwork(field: Field): Policy['network'] {
  const expected = "'none', 'egress', 'host' or { allow: ['host:port'] }"
  if (field.absent) return 'none'
  if (typeof field.value === 'string') return field.oneOf(NETWORKS, expected) ?? 'none'
  if (!field.object(['allow'], expected)) return 'none'
  const each = "an address such as 'host:port'"
  if (field.at('allow').absent) field.at('allow').wrong(`a list where each item is ${each}`)
  const address = (text: string) => /^(?:[^\s:/]+|\[[0-9a-fA-F:.]+\]):\d{1,5}$/.test(text)
  return { allow: field.at('allow').texts(each, address) }
}

const SHARES = ['tool', 'caller', 'session'] as const
const WORKSPACES =
  "'none', 'read-only', 'read-write' or { access: 'read-write', per: 'caller' }, where per is " +
  "'tool', 'caller' or 'session'"

/** A text is short for one folder of the whole tool. Plain data is always an object. */
function readWorkspace(field: Field, form: Form): Policy['workspace'] {
  const plain = form.schema === undefined
  if (field.absent) return NO_WORKSPACE
  if (typeof field.value === 'string' && !plain) {
    const access = field.oneOf(['none', 'read-only', 'read-write'], WORKSPACES)
    return access === undefined ? NO_WORKSPACE : { access, per: 'tool' }
  }
  if (!field.object(['access', 'per'], WORKSPACES)) return NO_WORKSPACE
  const access = field.at('access').oneOf([...(plain ? ['none' as const] : []), ...ACCESSES])
  const per = field.at('per').oneOf(SHARES)
  return access === undefined || per === undefined ? NO_WORKSPACE : { access, per }
}

const ACCESSES = ['read-only', 'read-write'] as const
const NO_WORKSPACE: Policy['workspace'] = { access: 'none', per: 'tool' }

/** Every path names one place in one way only, so that what is mounted is what was read. */
function readFiles(field: Field): Policy['files'] {
  if (!field.absent) field.object(['read', 'write'])
  const each = 'an absolute path without "..", ".", "//" and a "/" at its end'
  const exact = (path: string) => resolve(path) === path
  return { read: field.at('read').texts(each, exact), write: field.at('write').texts(each, exact) }
}

function readEnv(field: Field): string[] {
  const each =
    'the name of a variable, such as API_TOKEN, that is not for loaders or the gateway (LD_…, ' +
    'DYLD_…, GCONV_PATH, GLIBC_TUNABLES, X_TOOLGATE_…)'
  return field.texts(each, (name) => isVariable(name) && !isHeeded(name))
}

/** What is there instead of a source is never told: it may be the secret itself. */
function readSecrets(field: Field, env: readonly string[]): Policy['secrets'] {
  const secrets: Record<string, string> = {}
  if (field.absent) return secrets
  if (!isRecord(field.value)) {
    field.wrong("an object such as { TOKEN: 'file:/run/secrets/token' }", 'it is no such object')
    return secrets
  }
  for (const [name, source] of Object.entries(field.value)) {
    const one = field.at(name)
    if (!isVariable(name)) one.wrong('the name of a variable', `"${name}" is not a name`)
    else if (isReserved(name)) one.wrong('a name of its own', `${name} is not for secrets`)
    else if (env.includes(name)) one.wrong('one of the two', `${name} is in policy.env too`)
    else if (typeof source !== 'string') one.wrong(SOURCE, 'it is no text')
    else if (source.includes('\0')) one.wrong(SOURCE, 'it holds a NUL')
    else if (parseSource(source) === undefined) one.wrong(SOURCE, whyNoSource(source))
    else secrets[name] = source
  }
  return secrets
}

const SOURCE = "a source: 'file:/absolute/path', 'env:NAME' or 'mounted:NAME'"

function whyNoSource(source: string): string {
  if (source.startsWith('file:')) return 'its path is not absolute'
  if (source.startsWith('env:')) return 'what follows env: is not the name of a variable'
  if (source.startsWith('mounted:')) return 'what follows mounted: is not the name of a secret'
  return 'it is no source'
}

function readCpus(field: Field): number | null {
  const { value } = field
  const good = typeof value === 'number' && value > 0 && value <= 1024
  return good ? value : (field.wrong('a number of processors, such as 0.5') ?? null)
}

function readContainer(field: Field): ContainerPolicy {
  const user = field.at('user')
  const capDrop = field.at('capDrop')
  return {
    readOnly: field.at('readOnly').flag(true),
    capAdd: field.at('capAdd').texts(),
    capDrop: capDrop.absent ? ['ALL'] : capDrop.texts(),
    securityOpt: field.at('securityOpt').texts(),
    tmpfs: field.at('tmpfs').texts(),
    user: user.absent ? null : (user.text() ?? null),
  }
}
