import type { Declaration } from '../../tool/declaration.ts'
import { NOTHING } from '../../tool/nothing.ts'
import { VERSION } from '../../version.ts'

/**
 * Stands for all tools that a caller may see, wherever a link has its tool: `/mcp` is one MCP
 * server. Its name cannot be a file's.
 */
export const ALL_TOOLS: Declaration = {
  name: '*',
  version: VERSION,
  file: '',
  description: 'Every tool that the caller may see.',
  tags: [],
  runtime: { kind: 'inline', functions: [] },
  policy: { ...NOTHING, sandbox: 'none' },
  mode: 'daemon',
  timeout: null,
  idle: null,
  instances: { min: 0, max: 0 },
  warm: { spares: 0, initialized: false },
  limits: null,
  access: { scopes: [], roles: [] },
  era: null,
}
