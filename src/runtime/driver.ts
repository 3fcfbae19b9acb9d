import type { Config } from '../config/config.ts'
import { ToolgateError } from '../errors.ts'
import type { Logger } from '../telemetry/log.ts'
import type { Declaration } from '../tool/declaration.ts'
import { startBare, startPermitted } from './bare.ts'
import type { Cell } from './cell/cell.ts'
import { startCelled } from './celled.ts'
import { nativeCell } from './cells.ts'
import type { EgressDoors } from './egress/doors.ts'
import type { ToolProcess } from './process.ts'
import { resolveSecrets } from './secrets.ts'

export interface StartOptions {
  readonly config: Config
  readonly log: Logger
  /** The ways out of tools that may reach the network. */
  readonly egress: EgressDoors
  /** Id of the instance, for logs. */
  readonly instance: string
  /** W3C trace context of the request it is started for; absent for a shared instance. */
  readonly traceparent?: string
  readonly tracestate?: string
  readonly signal?: AbortSignal
  /** Whom it serves, where it serves one only: a workspace may be theirs alone. */
  readonly owner?: InstanceOwner
}

export interface InstanceOwner {
  /** Id of the caller; null: anonymous. */
  readonly caller: string | null
  /** Id of the session or, where there is none, of the request. */
  readonly link: string
}

/** A program with its arguments: what every process runtime comes down to. */
export interface Program {
  readonly program: string
  readonly args: readonly string[]
  /** Absolute paths that its runtime has to read, besides the program and what it was installed with. */
  readonly needs?: readonly string[]
}

/**
 * Makes ready what a tool's runtime needs before a process can be started: an npm package is
 * installed, an image is pulled. Within `timeouts.install`; quick when everything is there.
 */
export async function prepareTool(tool: Declaration, options: StartOptions): Promise<Program> {
  const { runtime } = tool
  switch (runtime.kind) {
    case 'command':
      return runtime
    case 'npm': {
      const { installPackage } = await import('./npm.ts')
      const { config, instance, signal } = options
      const installed = await installPackage({
        package: runtime.package,
        version: runtime.version,
        cache: config.cache,
        timeout: config.timeouts.install,
        env: config.environment,
        log: options.log.child({ tool: tool.name, instance }),
        ...(signal === undefined ? {} : { signal }),
      })
      const { program, args, needs } = installed
      return { program, args: [...args, ...runtime.args], needs }
    }
    case 'inline': {
      const { inlineCommand } = await import('./inline.ts')
      return inlineCommand(tool, tool.policy.workspace.access === 'none' ? null : '{workspace}')
    }
    case 'container': {
      const { prepareContainer } = await import('./container/prepare.ts')
      return prepareContainer(runtime, options)
    }
  }
}

/** Starts one process of a tool. Rejects with `tool_failed_to_start`, and `no_cell`. */
export async function startTool(
  tool: Declaration,
  program: Program,
  options: StartOptions,
): Promise<ToolProcess> {
  const { config, instance, log, owner, egress } = options
  // Of a container its engine says what can be kept from it.
  const cell = tool.runtime.kind === 'container' ? undefined : await nativeCell(tool, config)
  refuseWithout(cell?.refusals ?? [])
  const fields = { tool: tool.name, instance }
  const { values, redaction } = await resolveSecrets(tool.policy.secrets, {
    environment: config.environment,
    patience: config.timeouts.start,
    log: log.child(fields),
  })
  const common = {
    config,
    owner,
    variables: { ...values, ...traceOf(options) },
    line: config.sizes.line,
    patience: config.timeouts,
    log,
    fields,
    redaction,
  }
  if (cell === undefined) {
    const { startContainer } = await import('./container/start.ts')
    return startContainer(tool, program, { ...common, egress })
  }
  switch (cell.kind) {
    case 'bubblewrap':
      return startCelled(tool, program, { ...common, cell, egress })
    case 'permission':
      return startPermitted(program, common)
    default:
      return startBare(tool, program, common)
  }
}

/** Fails closed: what cannot be enforced keeps the tool from starting. */
function refuseWithout(refusals: Cell['refusals']): void {
  if (refusals.length === 0) return
  throw new ToolgateError('no_cell', `The tool could not be started: ${refusals.join('; ')}.`)
}

function traceOf({ traceparent, tracestate }: StartOptions): Record<string, string> {
  return {
    ...(traceparent !== undefined && { TRACEPARENT: traceparent }),
    ...(tracestate !== undefined && { TRACESTATE: tracestate }),
  }
}
