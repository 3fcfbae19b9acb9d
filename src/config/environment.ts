import { withSuggestion } from '../tool/closest.ts'
import type { Mistake } from './mistake.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/** Every variable of ours, with what it is for. */
export const VARIABLES = {
  TOOLGATE_CONFIG: 'The configuration file, as --config.',
  TOOLGATE_TOOLS: 'The tools folder, as --tools.',
  TOOLGATE_WORKSPACE: 'The workspace, as --workspace.',
  TOOLGATE_HOST: 'Address of the gateway, as --host.',
  TOOLGATE_PORT: 'Port of the gateway, as --port.',
  TOOLGATE_METRICS_PORT: 'Port of /metrics, as --metrics-port.',
  TOOLGATE_CACHE: 'The cache folder.',
  TOOLGATE_STATE_KEY: 'Signs what clients carry between two requests.',
  TOOLGATE_URL: 'Where `toolgate call` finds the gateway, as --url.',
  TOOLGATE_KEY: 'The API key that `toolgate call` uses, as --key.',
} as const

/** The gateway's own environment, for what a caller was not given explicitly. */
export const hostEnvironment: Environment = process.env

/** The value of one of our variables; one that is set to nothing counts as not set. */
export function variable(env: Environment, name: keyof typeof VARIABLES): string | undefined {
  return env[name] === '' ? undefined : env[name]
}

/** A misspelt variable would be ignored in silence. */
export function unknownVariables(env: Environment): Mistake[] {
  const known = Object.keys(VARIABLES)
  return Object.keys(env)
    .filter((name) => name.startsWith('TOOLGATE_') && !known.includes(name))
    .map((name) => ({
      place: { source: name },
      path: '',
      message: withSuggestion('there is no such variable', name, known),
      expected: `one of ${known.join(', ')}`,
    }))
}
