/** Prints the users of tools as JSON. Arguments: workspace, first and last user, tools. */
import { userOf } from '../../src/runtime/users.ts'

const [workspace = '', first, last, ...tools] = process.argv.slice(2)
const users = { first: Number(first), last: Number(last) }
const config = { workspace, cells: { memory: 1, processes: 1, tmp: 1, disk: 1, users } }
const claim = async (tool: string) => {
  const user = await userOf(tool, config).catch((error: { code: string; message: string }) => ({
    code: error.code,
    message: error.message,
  }))
  return [tool, user]
}
process.stdout.write(JSON.stringify(Object.fromEntries(await Promise.all(tools.map(claim)))))
