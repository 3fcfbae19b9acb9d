// `node scripts/run.mjs [node options] file [arguments]` on any Node from 18 up: installs what is
// missing, then runs the file with a Node that this project can use.
import { launch } from './launch/launch.mjs'

// A script of npm's ends with its npm, even by SIGKILL.
await launch(process.argv.slice(2), process.env.npm_lifecycle_event && process.ppid)
