import type { Declaration } from '../tool/declaration.ts'
import { startBare, startPermitted } from './bare.ts'
import { refuseWithout } from './cell/refuse.ts'
import { startCelled } from './celled.ts'
import { nativeCell } from './cells.ts'
import type { ToolProcess } from './process.ts'
import { resolveSecrets } from './secrets.ts'
import type { Program, StartOptions } from './starting.ts'

/**
 * Makes ready what a tool's runtime needs before a process can be started: an npm package is
 * installed, an image is pulled. Within `timeouts.install`; quick when everything is there. Rejects
 * with `tool_failed_to_start`, and `no_cell`.
 */
export async function prepareTool(tool: Declaration, options: StartOptions): Promise<Program> {
  const { runtime } = tool
  switch (runtime.kind) {
    case 'command':
      return runtime
    case 'npm': {
      const { installPackage } = await import('./npm.ts')
      const { config, instance, signal } = options
      // What cannot be started is not downloaded either.
      refuseWithout((await nativeCell(tool, config)).refusals)
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
    return startContainer(tool, program, { ...common, egress, signal: options.signal })
  }
  switch (cell.kind) {
    case 'bubblewrap':
      return startCelled(tool, program, { ...common, cell, egress, signal: options.signal })
    case 'permission':
      return startPermitted(program, common)
    default:
      return startBare(tool, program, common)
  }
}

function traceOf({ traceparent, tracestate }: StartOptions): Record<string, string> {
  return {
    ...(traceparent !== undefined && { TRACEPARENT: traceparent }),
    ...(tracestate !== undefined && { TRACESTATE: tracestate }),
  }
}
