import { open, readFile } from 'node:fs/promises'
import { join, sep } from 'node:path'

/** How the program of an installed package is started; undefined: it is not there, or has none. */
export async function resolveBin(
  folder: string,
  name: string,
): Promise<{ program: string; args: string[] } | undefined> {
  const root = join(folder, 'node_modules', ...name.split('/'))
  const manifest = await readFile(join(root, 'package.json'), 'utf8').catch(() => undefined)
  if (manifest === undefined) return undefined
  const bin = choose(JSON.parse(manifest).bin, name.split('/').at(-1) ?? name)
  if (bin === undefined) return undefined
  const file = join(root, bin)
  if (!file.startsWith(root + sep)) return undefined
  const script = /\.[cm]?js$/.test(file) || (await startsWithNode(file))
  return script ? { program: process.execPath, args: [file] } : { program: file, args: [] }
}

/** The only one, else the one named like the package. */
function choose(bin: unknown, name: string): string | undefined {
  if (typeof bin === 'string') return bin
  if (typeof bin !== 'object' || bin === null) return undefined
  const named = new Map<string, unknown>(Object.entries(bin))
  const chosen = named.size === 1 ? named.values().next().value : named.get(name)
  return typeof chosen === 'string' ? chosen : undefined
}

async function startsWithNode(file: string): Promise<boolean> {
  const handle = await open(file).catch(() => undefined)
  if (handle === undefined) return false
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(128), 0, 128, 0)
    return /^#!.*\bnode\b/.test(buffer.toString('latin1', 0, bytesRead))
  } finally {
    await handle.close()
  }
}
