import { fileURLToPath } from 'node:url'

/** Stands in an argument for the mark of the gateway that runs it, so its processes can be found. */
export const MARK = '{mark}'

/** The command of a fixture in test/fixtures, such as `echo`. */
export function fixture(name: string, ...args: readonly string[]): readonly string[] {
  return [process.execPath, path(`../fixtures/${name}.mjs`), ...args, MARK]
}

/** The command of an installed reference server: `everything`, `filesystem`, `memory`. */
export function server(name: string, ...args: readonly string[]): readonly string[] {
  const entry = `../../node_modules/@modelcontextprotocol/server-${name}/dist/index.js`
  return [process.execPath, path(entry), ...args]
}

function path(relative: string): string {
  return fileURLToPath(new URL(relative, import.meta.url))
}
