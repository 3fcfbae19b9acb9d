import type { Policy } from './declaration.ts'

/** What a tool is given whose file says nothing about it. */
export const NOTHING: Policy = {
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
}
