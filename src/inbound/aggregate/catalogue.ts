import type { Caller } from '../../call/caller.ts'
import type { Catalogue, Learned } from '../../catalogue/catalogue.ts'
import { ALL_TOOLS } from './all-tools.ts'
import type { Directories } from './directories.ts'
import type { Directory } from './directory.ts'
import { discovered } from './hello.ts'
import { EMPTY } from './lists.ts'

/** The catalogue with one tool more: what `ALL_TOOLS` says of itself is what this caller may see. */
export function catalogueFor(
  catalogue: Catalogue,
  directories: Directories,
  caller: Caller,
): Catalogue {
  const now = () => ({ state: 'learned', learned: learned(directories.now(caller)) }) as const
  return {
    ...catalogue,
    look: (tool) => (tool === ALL_TOOLS ? now() : catalogue.look(tool)),
    peek: (tool) => (tool === ALL_TOOLS ? now() : catalogue.peek(tool)),
    learn: (tool) =>
      tool === ALL_TOOLS ? directories.settled(caller).then(learned) : catalogue.learn(tool),
    spoken: (tool) => (tool === ALL_TOOLS ? { era: 'modern', dual: true } : catalogue.spoken(tool)),
  }
}

/** Its lists are not asked for here, but by calls. */
function learned(directory: Directory): Learned {
  return { era: 'modern', dual: true, initialize: discovered(directory), ...EMPTY }
}
