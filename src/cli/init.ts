import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join, relative, resolve, sep } from 'node:path'
import { splitStrictly } from './arguments.ts'
import { UsageError } from './usage-error.ts'

export const help = `Usage: toolgate init DIR

Makes a tools folder with a sample tool and a tsconfig.json, so that an editor knows "toolgate"
and "zod". A folder that has other files in it is left as it is.`

const ROOT = resolve(import.meta.dirname, '../..')

export async function run(args: readonly string[]): Promise<number> {
  const { positionals } = splitStrictly(args, {})
  const [dir] = positionals
  if (dir === undefined || positionals.length > 1) throw new UsageError('expected one folder')
  const folder = resolve(dir)
  const files = await filesFor(folder)
  const foreign = await foreignFiles(folder, files)
  if (foreign.length > 0) {
    console.error(`${folder} has other files in it: ${foreign.join(', ')}. Choose another folder.`)
    return 1
  }
  await mkdir(folder, { recursive: true })
  for (const [name, text] of files) {
    await writeFile(join(folder, name), text)
    console.log(`made ${join(dir, name)}`)
  }
  console.log(`\nNext: npx toolgate check --tools ${dir}
      npx toolgate serve --tools ${dir}
      npx toolgate call clock now zone=Europe/Paris --tools ${dir}`)
  return 0
}

async function filesFor(folder: string): Promise<ReadonlyMap<string, string>> {
  const clock = await readFile(join(import.meta.dirname, 'sample/clock.ts'), 'utf8')
  // Within the checkout the paths hold wherever that is moved to.
  const inside = !relative(ROOT, folder).startsWith('..')
  const installed = (path: string) => {
    const target = join(ROOT, path)
    return (inside ? relative(folder, target) : target).replaceAll(sep, '/')
  }
  const tsconfig = {
    compilerOptions: {
      target: 'es2024',
      lib: ['es2024'],
      // `preserve`: the files are ES modules with no package.json to say so.
      module: 'preserve',
      strict: true,
      noEmit: true,
      skipLibCheck: true,
      erasableSyntaxOnly: true,
      verbatimModuleSyntax: true,
      allowImportingTsExtensions: true,
      typeRoots: [installed('node_modules/@types')],
      types: ['node'],
      paths: {
        toolgate: [installed('src/index.ts')],
        zod: [installed('node_modules/zod')],
        'zod/*': [installed('node_modules/zod/*')],
      },
    },
  }
  return new Map([
    ['clock.ts', clock],
    ['tsconfig.json', `${JSON.stringify(tsconfig, null, 2)}\n`],
  ])
}

/** Names in the folder that are not ours, or that someone has changed since. */
async function foreignFiles(folder: string, files: ReadonlyMap<string, string>) {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    if (error.code === 'ENOTDIR') throw new UsageError(`${folder} is no folder`)
    throw error
  })
  const changed = await Promise.all(
    names.map(async (name) => {
      const text = files.get(name)
      return text === undefined || (await readFile(join(folder, name), 'utf8')) !== text
    }),
  )
  return names.filter((_, index) => changed[index])
}
