import type { Caller } from '../../call/caller.ts'
import type { Catalogue, Learned } from '../../catalogue/catalogue.ts'
import type { FunctionDeclaration } from '../../tool/declaration.ts'
import { ALL_TOOLS } from './all-tools.ts'
import type { Directories } from './directories.ts'
import type { Directory } from './directory.ts'
import { discovered } from './hello.ts'

/** The catalogue with one tool more: what `ALL_TOOLS` can do is what this caller may see. */
export function catalogueFor(
  catalogue: Catalogue,
  directories: Directories,
  caller: Caller,
): Catalogue {
  const learned = () => learnedOf(directories.now(caller))
  return {
    ...catalogue,
    look: (tool) =>
      tool === ALL_TOOLS ? { state: 'learned', learned: learned() } : catalogue.look(tool),
    peek: (tool) =>
      tool === ALL_TOOLS ? { state: 'learned', learned: learned() } : catalogue.peek(tool),
    learn: (tool) => (tool === ALL_TOOLS ? Promise.resolve(learned()) : catalogue.learn(tool)),
    spoken: (tool) => (tool === ALL_TOOLS ? { era: 'modern', dual: true } : catalogue.spoken(tool)),
  }
}

const known = new WeakMap<Directory, Learned>()

/** Made once: what others keep about a list, they keep by the list. */
function learnedOf(directory: Directory): Learned {
  let learned = known.get(directory)
  if (learned === undefined) {
    learned = {
      era: 'modern',
      dual: true,
      initialize: discovered(directory),
      functions: directory.entries('functions') as unknown as readonly FunctionDeclaration[],
      prompts: directory.entries('prompts'),
      resources: directory.entries('resources'),
      templates: directory.entries('templates'),
    }
    known.set(directory, learned)
  }
  return learned
}
