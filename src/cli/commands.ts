/** One command of the command line; its file is loaded when it is run. */
export interface Command {
  readonly summary: string
  load(): Promise<{
    /** What `--help` prints. */
    readonly help: string
    /** Gives the exit code. */
    run(args: readonly string[]): Promise<number>
  }>
}

/** In the order in which `toolgate --help` lists them. */
export const COMMANDS: Readonly<Record<string, Command>> = {
  serve: { summary: 'Serve the tools folder.', load: () => import('./serve.ts') },
  check: {
    summary: 'Validate the configuration and every tool.',
    load: () => import('./check.ts'),
  },
  explain: {
    summary: 'Show what a tool may touch here, and what enforces it.',
    load: () => import('./explain.ts'),
  },
  init: { summary: 'Make a tools folder with a sample.', load: () => import('./init.ts') },
  call: { summary: 'Call a function of a tool.', load: () => import('./call.ts') },
  key: { summary: 'Make an API key.', load: () => import('./key.ts') },
}
