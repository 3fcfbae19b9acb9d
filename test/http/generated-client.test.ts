import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import openapiTS, { astToString } from 'openapi-typescript'
import { shippedTools } from '../../src/http/shipped-tools.ts'
import { addCalculator, addTool, type House, openHouse, result } from './house.ts'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../../', import.meta.url))
let house: House
let folder: string

before(async () => {
  house = await openHouse()
  addCalculator(house)
  const shipped = (await shippedTools()).find(({ name }) => name === 'calculator')
  addTool(house, 'calculator', shipped?.functions ?? [])
  addTool(house, 'learned', [LEARNED, { name: 'ask', inputSchema: { type: 'object' } }])
  house.behaviours.set('learned/ask', async (call) => {
    const told = await call.ask?.({ a: { method: 'roots/list' } })
    return result(call, { content: [told] })
  })
  house.behaviours.set('learned/find', (call) => result(call, { content: [] }))
  folder = await mkdtemp(join(tmpdir(), 'toolgate-client-'))
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'))
  const document = await (await fetch(`${house.url}/openapi.json`)).json()
  await writeFile(
    join(folder, 'paths.d.ts'),
    astToString(await openapiTS(JSON.stringify(document))),
  )
  const compilerOptions = {
    strict: true,
    noEmit: true,
    module: 'nodenext',
    target: 'es2024',
    types: [],
  }
  await writeFile(join(folder, 'package.json'), '{"type":"module"}')
  await writeFile(
    join(folder, 'tsconfig.json'),
    JSON.stringify({ compilerOptions, include: ['*.ts'] }),
  )
})
after(async () => {
  await rm(folder, { recursive: true, force: true })
  await house.close()
})

/** As a tool that is no inline one lists it. */
const LEARNED = {
  name: 'find',
  inputSchema: {
    type: 'object',
    properties: {
      text: { type: 'string' },
      most: { $ref: '#/$defs/Most' },
      order: { anyOf: [{ enum: ['up', 'down'] }, { type: 'null' }], default: null },
    },
    required: ['text'],
    $defs: { Most: { type: 'integer', default: 10 } },
  },
}

const program = (field: string, answer: string) => `
import createClient from 'openapi-fetch'
import type { paths } from './paths.d.ts'
declare const process: { argv: string[]; stdout: { write(text: string): void } }
const client = createClient<paths>({ baseUrl: process.argv[2] ?? '' })
const { data, error } = await client.POST('/v1/tools/calculator/calculate', {
  body: { operator: 'add', ${field}: ['1.2', '2.3'] },
})
if (error !== undefined) throw new Error(error.detail)
const found = await client.POST('/v1/tools/learned/find', { body: { text: 'x' } })
if (found.error !== undefined) throw new Error(found.error.detail)
const asked = await client.POST('/v1/tools/learned/ask', { body: {} })
if (asked.error?.code !== 'input_required') throw new Error('It asks for nothing.')
const { continuation = '', inputRequests = {} } = asked.error
const inputResponses = Object.fromEntries(
  Object.entries(inputRequests).map(([key, { method }]) => [key, { method }]),
)
const gone = await client.POST('/v1/continuations', { body: { continuation, inputResponses } })
if (gone.error !== undefined) throw new Error(gone.error.detail)
const tool = await client.GET('/v1/tools/{tool}', { params: { path: { tool: 'calculator' } } })
if (tool.data?.functions[0]?.name !== 'calculate') throw new Error('It has no such function.')
const result: string = data.${answer}
process.stdout.write(result)
`
const compile = () => run(process.execPath, [join(root, 'node_modules/tsc/bin/tsc'), '-p', folder])

test('A client generated from the live document compiles under --strict and calls a function', async () => {
  await writeFile(join(folder, 'program.ts'), program('operands', 'result'))
  await compile()
  const { stdout } = await run(process.execPath, [join(folder, 'program.ts'), house.url])
  assert.equal(stdout, '3.5')
})

test('A wrong field does not compile, neither of the input nor of the output', async () => {
  await writeFile(join(folder, 'program.ts'), program('operand', 'result'))
  await assert.rejects(compile(), ({ stdout }: { stdout: string }) => /operand/.test(stdout))
  await writeFile(join(folder, 'program.ts'), program('operands', 'outcome'))
  await assert.rejects(compile(), ({ stdout }: { stdout: string }) => /outcome/.test(stdout))
})
