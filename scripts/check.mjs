// Everything a tool can check, each step whatever became of the one before; exit code 1 on any.
import { spawnSync } from 'node:child_process'

const STEPS = [
  [
    'format and lint',
    'node_modules/@biomejs/biome/bin/biome',
    'ci',
    '--colors=off',
    '--log-level=warn',
    '.',
  ],
  ['types', 'node_modules/tsc/bin/tsc', '-p', '.'],
  ['import direction', '--test', '--test-reporter=spec', 'test/architecture.test.ts'],
  ['contract drift', 'src/http/write-contract.ts', '--check'],
  ['links and commands of the docs', 'scripts/check-docs.mjs'],
]

const failed = STEPS.filter(([name, ...args]) => {
  const started = performance.now()
  const { status } = spawnSync(process.execPath, args, { stdio: 'inherit' })
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  console.log(`${status === 0 ? 'ok    ' : 'FAILED'} ${name} (${seconds} s)`)
  return status !== 0
})

process.exitCode = failed.length === 0 ? 0 : 1
