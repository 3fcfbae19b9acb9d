import type { Caller } from '../../call/caller.ts'
import type { Catalogue, Learned } from '../../catalogue/catalogue.ts'
import type { FunctionDeclaration } from '../../tool/declaration.ts'
import { ALL_TOOLS } from './all-tools.ts'
import type { Directories } from './directories.ts'
import { discovered } from './hello.ts'

/** The catalogue with one tool more: what `ALL_TOOLS` can do is what this caller may see. */
export function catalogueFor(
  catalogue: Catalogue,
  directories: Directories,
  caller: Caller,
): Catalogue {
  const learned = (): Learned => {
    const directory = directories.now(caller)
    return {
      era: 'modern',
      dual: true,
      initialize: discovered(directory),
      functions: directory.entries('functions') as unknown as readonly FunctionDeclaration[],
      prompts: directory.entries('prompts'),
      resources: directory.entries('resources'),
      templates: directory.entries('templates'),
    }
  }
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
