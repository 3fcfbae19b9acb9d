import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { command, container, defineTool, fn, inline, npm } from '../../src/tool/define.ts'
import { checkDeclaration, readDeclaration } from '../../src/tool/read-declaration.ts'

function schema(value: unknown, io: 'input' | 'output'): unknown {
  return z.toJSONSchema(value as z.ZodType, { io, target: 'draft-2020-12' })
}

function read(value: unknown) {
  const reading = readDeclaration(value, schema)
  assert.ok('declaration' in reading, JSON.stringify(reading))
  return reading.declaration
}

function mistakes(value: unknown) {
  const reading = readDeclaration(value, schema)
  assert.ok('errors' in reading, 'it was accepted')
  return Object.fromEntries(reading.errors.map((mistake) => [mistake.path, mistake]))
}

const echo = fn({
  description: 'Say it again.',
  input: z.object({ text: z.string().default('hi') }),
  output: z.object({ text: z.string() }),
  run: ({ text }) => ({ text }),
})

const RUN = { description: 'Run it.', runtime: command('cat') }

test('a minimal tool gets every default, and is denied everything', () => {
  const declaration = read(defineTool({ description: 'Run it.', runtime: command('cat', '-u') }))
  assert.deepEqual(declaration, {
    description: 'Run it.',
    runtime: { kind: 'command', program: 'cat', args: ['-u'] },
    tags: [],
    policy: {
      network: 'none',
      workspace: { access: 'none', per: 'tool' },
      files: { read: [], write: [] },
      env: [],
      secrets: {},
      memory: null,
      cpus: null,
      processes: null,
      sandbox: 'required',
      container: {
        readOnly: true,
        capAdd: [],
        capDrop: ['ALL'],
        securityOpt: [],
        tmpfs: [],
        user: null,
      },
    },
    mode: 'launcher',
    timeout: null,
    idle: null,
    instances: { min: 0, max: 1 },
    warm: { spares: 0, initialized: false },
    limits: null,
    access: { scopes: [], roles: [] },
    era: null,
  })
})

test('durations become milliseconds and sizes bytes', () => {
  const declaration = read(
    defineTool({
      description: 'Run it.',
      runtime: container('ghcr.io/github/github-mcp-server:v1.2.0', 'stdio'),
      timeout: '2m',
      idle: '90s',
      limits: { calls: 60, per: '1m' },
      policy: { memory: '256MB', network: { allow: ['api.github.com:443', '[::1]:80'] } },
    }),
  )
  assert.equal(declaration.timeout, 120_000)
  assert.equal(declaration.idle, 90_000)
  assert.deepEqual(declaration.limits, { calls: 60, per: 60_000, burst: 0 })
  assert.equal(declaration.policy.memory, 256 * 2 ** 20)
  assert.deepEqual(declaration.policy.network, { allow: ['api.github.com:443', '[::1]:80'] })
})

test('an npm package is split from its exact version, scope and all', () => {
  const { runtime } = read({ description: 'Files.', runtime: npm('@scope/name@1.2.3-rc.1', '.') })
  assert.deepEqual(runtime, {
    kind: 'npm',
    package: '@scope/name',
    version: '1.2.3-rc.1',
    args: ['.'],
  })
})

test('an npm version that is a range, a tag or absent is a mistake', () => {
  for (const spec of ['@scope/name', 'name@latest', 'name@^1.2.3', 'name@1', '@scope/name@']) {
    const found = mistakes({ description: 'Files.', runtime: npm(spec) })
    assert.match(found['runtime.version']?.expected ?? '', /^an exact version/, spec)
  }
})

test('functions become JSON Schema, seen from outside', () => {
  const { runtime, mode } = read({ description: 'Echo.', runtime: inline({ 'say.it': echo }) })
  assert.equal(mode, 'daemon')
  assert.ok(runtime.kind === 'inline')
  const [one] = runtime.functions
  assert.equal(one?.name, 'say.it')
  assert.equal(one?.description, 'Say it again.')
  assert.equal(one?.inputSchema.required, undefined)
  assert.deepEqual(one?.outputSchema?.required, ['text'])
})

test('every mistake is told at once, with its path and what was expected', () => {
  const found = mistakes({
    description: '',
    runtime: inline({
      'not ok': echo,
      date: { ...echo, input: z.object({ at: z.date() }) },
      text: { ...echo, output: z.string() },
      lost: { ...echo, run: undefined },
    } as never),
    polcy: {},
    timeout: 30,
    idle: '30 parsecs',
    mode: 'deamon',
    warm: -1,
    instances: { min: 5, max: 2 },
    limits: { calls: 0, per: '1m' },
    policy: {
      network: 'egres',
      files: { read: ['relative/path'] },
      env: ['NOT OK'],
      memory: '1 lot',
      sandbox: false,
      secrets: { TOKEN: 7 },
    },
  })
  assert.match(found.polcy?.message ?? '', /^there is no key "polcy" \(did you mean "policy"\?\)$/)
  assert.equal(found.timeout?.message, 'found 30')
  assert.match(found.timeout?.expected ?? '', /^a duration with its unit/)
  assert.match(
    found['policy.network']?.message ?? '',
    /^found "egres" \(did you mean "egress"\?\)$/,
  )
  assert.match(found['policy.network']?.expected ?? '', /\{ allow: \['host:port'\] \}/)
  assert.match(found.mode?.message ?? '', /did you mean "daemon"\?/)
  assert.match(found['runtime.functions.date.input']?.message ?? '', /Date cannot be represented/)
  assert.deepEqual(Object.keys(found).sort(), [
    'description',
    'idle',
    'instances.min',
    'limits.calls',
    'mode',
    'polcy',
    'policy.env[0]',
    'policy.files.read[0]',
    'policy.memory',
    'policy.network',
    'policy.sandbox',
    'policy.secrets.TOKEN',
    'runtime.functions.date.input',
    'runtime.functions.lost.run',
    'runtime.functions.not ok',
    'runtime.functions.text.output',
    'timeout',
    'warm',
  ])
})

test('spares are for launchers, and several instances for daemons', () => {
  const spares = read({ ...RUN, mode: 'launcher', warm: 3 })
  assert.deepEqual(spares.warm, { spares: 3, initialized: false })
  const told = read({ ...RUN, mode: 'launcher', warm: { spares: 2, initialized: true } })
  assert.deepEqual(told.warm, { spares: 2, initialized: true })
  const odd = mistakes({ ...RUN, warm: { initialized: 'yes', spare: 1 } as never })
  assert.deepEqual(Object.keys(odd).sort(), ['warm.initialized', 'warm.spare', 'warm.spares'])
  const pool = read({ ...RUN, mode: 'daemon', instances: { min: 1, max: 4 } })
  assert.deepEqual(pool.instances, { min: 1, max: 4 })
  assert.deepEqual(read({ ...RUN, mode: 'daemon', instances: 4 }).instances, { min: 0, max: 4 })
  const idle = mistakes({ ...RUN, mode: 'daemon', warm: 3 })
  assert.match(idle.warm?.expected ?? '', /mode 'launcher'/)
  for (const instances of [2, { min: 1 }]) {
    const found = mistakes({ ...RUN, mode: 'launcher', instances })
    assert.match(found.instances?.expected ?? '', /mode 'daemon'/)
  }
})

test('a secret has a source, and a name that nobody else gives', () => {
  const sources = { A: 'file:/run/a', B_2: 'env:TOKEN', _c: 'mounted:tls.key', d: 'mounted:..data' }
  const { policy } = read({ ...RUN, policy: { secrets: sources, env: ['TOKEN'] } })
  assert.deepEqual(policy.secrets, sources)
  const names = ['PATH', 'home', 'TZ', 'TRACEPARENT', 'X_TOOLGATE_INSTANCE', 'X_TOOLGATE_NEW']
  const loaders = ['LD_PRELOAD', 'DYLD_INSERT_LIBRARIES', 'NODE_OPTIONS', '__proto__']
  for (const name of [...names, ...loaders, 'TOKEN', 'a-b', '', '1A', 'A B']) {
    const secrets = Object.fromEntries([[name, 'env:OTHER']])
    const found = mistakes({ ...RUN, policy: { env: ['TOKEN'], secrets } })
    assert.deepEqual(Object.keys(found), [`policy.secrets.${name}`])
  }
})

test('what stands where the source of a secret belongs is never repeated: it may be the secret', () => {
  const wrong = [
    'hunter2',
    'file:hunter2',
    'file:',
    'env:',
    'env:hunter2-',
    'env:a b',
    'ENV:hunter2',
  ]
  const mounted = ['', '..', '.', '...', 'a/hunter2', 'a\\b', 'hunter2 ', 'x\0', 'x'.repeat(300)]
  const values = [...wrong, ...mounted.map((name) => `mounted:${name}`), 7182818, ['hunter2'], null]
  for (const value of values) {
    const found = mistakes({ ...RUN, policy: { secrets: { TOKEN: value } } })
    assert.deepEqual(Object.keys(found), ['policy.secrets.TOKEN'])
    assert.doesNotMatch(JSON.stringify(found), /hunter2|7182818/)
    assert.match(
      found['policy.secrets.TOKEN']?.expected ?? '',
      /'file:\/absolute\/path', 'env:NAME'/,
    )
  }
  for (const secrets of ['hunter2', ['hunter2'], 7182818]) {
    const found = mistakes({ ...RUN, policy: { secrets } })
    assert.deepEqual(Object.keys(found), ['policy.secrets'])
    assert.doesNotMatch(JSON.stringify(found), /hunter2|7182818/)
  }
})

test('what is no declaration at all says what is expected', () => {
  assert.match(mistakes(undefined)['']?.message ?? '', /no default export/)
  for (const value of [null, 7, 'tool', [], () => {}]) {
    assert.match(mistakes(value)['']?.expected ?? '', /^what defineTool/)
  }
  assert.match(mistakes({ description: 'x', runtime: 'cat' }).runtime?.expected ?? '', /^command\(/)
})

test('keys of the prototype are no keys', () => {
  const found = mistakes({ description: 'x', runtime: { kind: 'constructor' } })
  assert.match(found.runtime?.message ?? '', /not made by one of the builders/)
})

test('plain data is checked again, and comes out as it went in', () => {
  const body = read({
    description: 'Echo.',
    title: 'Echo',
    runtime: inline({ say: echo }),
    timeout: '1s',
    policy: { memory: '1GB', capDrop: [], readOnly: false },
    limits: { calls: 1, per: '1s', burst: 2 },
  })
  const declaration = { name: 'echo', version: 'v', file: '/echo.ts', ...body }
  assert.deepEqual(checkDeclaration(JSON.parse(JSON.stringify(declaration))), declaration)
})

test('forged plain data is refused by name', () => {
  const body = read({ description: 'Run it.', runtime: command('cat') })
  const good = { name: 'cat', version: 'v', file: '/cat.ts', ...body }
  const forged: [RegExp, unknown][] = [
    [/not an object/, 'x'],
    [/name/, { ...good, name: 7 }],
    [/timeout/, { ...good, timeout: '30s' }],
    [/runtime\.program/, { ...good, runtime: { kind: 'command', program: ['sh'], args: [] } }],
    [/runtime\.args/, { ...good, runtime: { kind: 'command', program: 'sh', args: 'x' } }],
    [/runtime\.functions/, { ...good, runtime: { kind: 'inline', functions: {} } }],
    [/policy\.sandbox/, { ...good, policy: { ...good.policy, sandbox: 'off' } }],
    [/__proto__|extra/, { ...good, extra: 1 }],
  ]
  for (const [message, data] of forged) {
    assert.throws(() => checkDeclaration(data), { name: 'TypeError', message })
  }
})
