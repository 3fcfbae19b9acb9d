import type { Policy } from '../../../src/tool/declaration.ts'

/** A policy that gives nothing but this. */
export function policyOf(given: Partial<Policy>): Policy {
  return {
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
    ...given,
  }
}
