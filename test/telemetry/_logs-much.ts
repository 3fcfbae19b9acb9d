import { createLog } from '../../src/telemetry/json-log.ts'

/** Logs 20 MB over some turns of the loop, says on stderr that it went on, and exits. */
const { log } = createLog('info', process.stdout)
const text = 'x'.repeat(1000)
for (let turn = 0; turn < 20; turn += 1) {
  for (let n = 0; n < 1000; n += 1) log.info({ text }, 'much')
  await new Promise(setImmediate)
}
process.stderr.write('went on\n', () => process.exit(0))
