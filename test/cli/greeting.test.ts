import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Catalogue, Learned, LearnState } from '../../src/catalogue/catalogue.ts'
import { greet } from '../../src/cli/greeting.ts'
import type { Registry, ToolEntry } from '../../src/registry/registry.ts'

test('the greeting lists what is known after a second, and follows up once on the rest', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const house = gateway({ settled: false })
  house.read('quick')
  house.learn('quick', { state: 'learned', learned: NOTHING })
  house.read('slow')
  house.list('looping')
  house.list('broken', {
    state: 'broken',
    error: { file: '/t/broken.ts', line: 2, message: 'bad' },
  })
  const greeted = greet(house, house.say)
  assert.deepEqual(house.rows(), [])
  t.mock.timers.tick(1_000)
  await greeted
  assert.deepEqual(house.rows(), [
    'quick ready command',
    'slow learning command',
    'looping loading',
    'broken broken /t/broken.ts:2: bad',
  ])
  house.learn('slow', { state: 'learning' })
  house.learn('slow', { state: 'failed', error: 'There is no program.', at: 0 })
  house.read('looping')
  house.learn('looping', { state: 'learned', learned: NOTHING })
  for (const name of ['slow', 'looping', 'quick', 'broken']) house.read(name)
  assert.deepEqual(house.rows().slice(4), [
    'slow failed There is no program.',
    'looping ready command',
  ])
})

test('the greeting does not wait once every file is read', async () => {
  const house = gateway({ settled: true })
  house.read('quick')
  await greet(house, house.say)
  assert.equal(house.rows().length, 1)
})

const NOTHING: Learned = {
  era: 'legacy',
  dual: false,
  initialize: {},
  functions: [],
  prompts: [],
  resources: [],
  templates: [],
}

/** A registry and a catalogue that are told what to say. */
function gateway({ settled }: { readonly settled: boolean }) {
  const entries = new Map<string, ToolEntry>()
  const states = new Map<string, LearnState>()
  const listeners: ((name: string) => void)[] = []
  const lines: string[] = []
  const change = (name: string) => {
    for (const listener of listeners) listener(name)
  }
  const list = (name: string, more: Partial<ToolEntry> = {}) => {
    entries.set(name, { name, file: `/t/${name}.ts`, state: 'loading', ...more })
    change(name)
  }
  const registry: Pick<Registry, 'list' | 'get' | 'onChange' | 'settled'> = {
    list: () => [...entries.values()],
    get: (name) => entries.get(name),
    onChange: (listener) => void listeners.push((name) => listener(name, entries.get(name))),
    settled: settled ? Promise.resolve() : new Promise(() => {}),
  }
  const catalogue: Pick<Catalogue, 'peek' | 'onChange'> = {
    peek: ({ name }) => states.get(name),
    onChange: (listener) => void listeners.push(listener),
  }
  return {
    url: 'http://127.0.0.1:1',
    registry: registry as Registry,
    catalogue: catalogue as Catalogue,
    say: (text: string) => void lines.push(text),
    /** The rows on tools, spaces folded. */
    rows: () =>
      lines.filter((line) => line.startsWith('  ')).map((line) => line.trim().replace(/ +/g, ' ')),
    list,
    read: (name: string) =>
      list(name, {
        state: 'ready',
        declaration: { name, runtime: { kind: 'command' } } as NonNullable<
          ToolEntry['declaration']
        >,
      }),
    learn(name: string, state: LearnState) {
      states.set(name, state)
      change(name)
    },
  }
}
