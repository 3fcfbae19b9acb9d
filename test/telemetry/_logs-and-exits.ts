import { createLog } from '../../src/telemetry/json-log.ts'

createLog('info', process.stdout).log.info({}, 'last words')
process.exit(0)
