import { createHash, randomBytes } from 'node:crypto'
import { splitStrictly } from './arguments.ts'
import { UsageError } from './usage-error.ts'

export const help = `Usage: toolgate key new --id ID

Makes an API key, prints it once to stdout, and prints to stderr the entry for "keys" in the
configuration, which has only its hash.`

export async function run(args: readonly string[]): Promise<number> {
  const { positionals, text } = splitStrictly(args, { values: ['id'] })
  const id = text('id')
  if (positionals.join(' ') !== 'new') throw new UsageError('expected: key new --id ID')
  if (id === undefined || !/^[A-Za-z0-9._-]{1,64}$/.test(id))
    throw new UsageError('--id needs a name of letters, digits, dot, _ and -')
  const key = `tg_${randomBytes(32).toString('base64url')}`
  const hash = createHash('sha256').update(key).digest('hex')
  console.error(`The key is shown only now. Its entry in config/gateway.yaml:

keys:
  - { id: ${id}, hash: 'sha256:${hash}', roles: [], scopes: [] }
`)
  console.log(key)
  return 0
}
