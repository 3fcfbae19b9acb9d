/**
 * `node src/http/write-contract.ts [--check]`: writes `openapi/gateway.yaml`, the static operations
 * and the shipped inline tools. With `--check` nothing is written: what differs goes to stderr and
 * the exit code is 1.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { contractText, drift } from '../contract/file.ts'
import { shippedTools } from './shipped-tools.ts'

const path = fileURLToPath(new URL('../../openapi/gateway.yaml', import.meta.url))
const made = contractText(await shippedTools())

if (process.argv.includes('--check')) {
  const difference = drift(await readFile(path, 'utf8').catch(() => ''), made)
  if (difference !== undefined) {
    process.stderr.write(`openapi/gateway.yaml is not what the code says:\n${difference}\n`)
    process.exitCode = 1
  }
} else await writeFile(path, made)
