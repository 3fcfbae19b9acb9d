// `node scripts/run.mjs [node options] file [arguments]` on any Node from 18 up: installs what is
// missing, then runs the file with a Node that this project can use.
import { launch } from './launch/launch.mjs'

await launch(process.argv.slice(2))
