import { withSuggestion } from '../tool/closest.ts'
import { VERSION } from '../version.ts'
import { COMMANDS } from './commands.ts'
import { UsageError } from './usage-error.ts'

/** Runs what a command line asks for, and gives the exit code: 2 if it asks for nothing known. */
export async function runCommand([name, ...args]: readonly string[]): Promise<number> {
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    console.log(overview())
    return name === undefined ? 2 : 0
  }
  if (name === '--version' || name === '-v') {
    console.log(VERSION)
    return 0
  }
  try {
    if (!Object.hasOwn(COMMANDS, name)) {
      const message = `there is no command "${name}"`
      throw new UsageError(withSuggestion(message, name, Object.keys(COMMANDS)))
    }
    const command = await COMMANDS[name]?.load()
    if (args.some((arg) => arg === '--help' || arg === '-h')) {
      console.log(command?.help)
      return 0
    }
    return (await command?.run(args)) ?? 0
  } catch (error) {
    return fail(error, Object.hasOwn(COMMANDS, name) ? ` ${name}` : '')
  }
}

function overview(): string {
  const lines = Object.entries(COMMANDS).map(
    ([name, { summary }]) => `  ${name.padEnd(8)}${summary}`,
  )
  return `Usage: toolgate COMMAND [options]

${lines.join('\n')}

toolgate COMMAND --help says more; toolgate --version prints the version.`
}

function fail(error: unknown, command: string): number {
  if (error instanceof UsageError) {
    console.error(`toolgate: ${error.message}\ntoolgate${command} --help says more.`)
    return 2
  }
  // What is named was meant for the reader; anything else is ours to explain by its stack.
  const meant = error instanceof Error && ['ConfigError', 'ToolgateError'].includes(error.name)
  console.error(meant ? error.message : error)
  return 1
}
