import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Link } from '../../src/call/link.ts'
import type { Spoken } from '../../src/pool/lease.ts'
import { placeOf } from '../../src/pool/place.ts'
import type { Declaration } from '../../src/tool/declaration.ts'
import { ASKABLE, DUAL, LEGACY, linkOf, MODERN, toolOf } from './given.ts'

const launcher = toolOf('echo')
const daemon = toolOf('echo', { mode: 'daemon' })
const inline = toolOf('echo', { runtime: { kind: 'inline', functions: [] } })
const session = { kind: 'session', era: 'legacy' } as const
const askable = { capabilities: ASKABLE }

/** The place in a few words. */
function described(link: Link, spoken: Spoken): string {
  const place = placeOf(link, spoken)
  if (place === 'own') return 'own'
  const { how, alone, exclusive } = place
  const words = [how.era, alone ? 'alone' : 'shared']
  if (how.era === 'modern' && how.private) words.push('private')
  if (exclusive) words.push('exclusive')
  return words.join(' ')
}

const TABLE: [
  what: string,
  tool: Declaration,
  link: Partial<Link>,
  caller: string | null,
  expected: Record<'legacy' | 'modern' | 'dual', string>,
][] = [
  [
    'a session on a launcher',
    launcher,
    session,
    'ann',
    { legacy: 'own', modern: 'modern alone private', dual: 'own' },
  ],
  [
    'a session on a daemon',
    daemon,
    session,
    'ann',
    { legacy: 'legacy shared', modern: 'modern shared', dual: 'modern shared' },
  ],
  [
    'a request on a daemon',
    daemon,
    askable,
    'ann',
    { legacy: 'legacy shared', modern: 'modern shared', dual: 'modern shared' },
  ],
  [
    'an anonymous request',
    launcher,
    {},
    null,
    { legacy: 'legacy alone', modern: 'modern alone private', dual: 'modern alone private' },
  ],
  [
    'a request of a caller',
    launcher,
    {},
    'ann',
    { legacy: 'legacy shared', modern: 'modern shared private', dual: 'modern shared private' },
  ],
  [
    'a request of a caller who can be asked',
    launcher,
    askable,
    'ann',
    {
      legacy: 'legacy shared exclusive',
      modern: 'modern shared private',
      dual: 'modern shared private',
    },
  ],
  [
    'a request that wants logs',
    launcher,
    { logLevel: 'info' },
    'ann',
    {
      legacy: 'legacy shared exclusive',
      modern: 'modern shared private',
      dual: 'modern shared private',
    },
  ],
]

for (const [what, tool, more, caller, expected] of TABLE)
  test(`${what} is served by what its tool's era asks for`, () => {
    const link = linkOf(tool, caller, more)
    assert.deepEqual(
      {
        legacy: described(link, LEGACY),
        modern: described(link, MODERN),
        dual: described(link, DUAL),
      },
      expected,
    )
  })

test('an inline tool says whose call it speaks of, so its calls are not kept apart', () => {
  assert.equal(described(linkOf(inline, 'ann', askable), LEGACY), 'legacy shared')
})

test('a daemon is offered no capability of a client, others those of the client', () => {
  const how = (tool: Declaration) => {
    const place = placeOf(linkOf(tool, 'ann', askable), LEGACY)
    return place !== 'own' && place.how.era === 'legacy' ? place.how : undefined
  }
  assert.deepEqual(how(daemon)?.capabilities, {})
  assert.deepEqual(how(launcher)?.capabilities, ASKABLE)
})
