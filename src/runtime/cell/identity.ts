import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Mount, readOnly } from './view.ts'

/** What programs look up in `/etc` of themselves and of this machine: nothing of the host's. */
export async function identityView(
  cache: string,
  user: { readonly uid: number; readonly gid: number },
): Promise<Mount[]> {
  const folder = join(cache, 'cells', `${user.uid}-${user.gid}`)
  if (!existsSync(folder)) await write(folder, filesOf(user))
  return Object.keys(filesOf(user)).map((name) => readOnly(join(folder, name), `/etc/${name}`))
}

function filesOf({ uid, gid }: { readonly uid: number; readonly gid: number }) {
  return {
    passwd: `root:x:0:0:root:/:/usr/sbin/nologin\ntool:x:${uid}:${gid}:tool:/tmp:/bin/sh\n`,
    group: `root:x:0:\ntool:x:${gid}:\n`,
    hosts: '127.0.0.1 localhost\n::1 localhost\n',
  }
}

/** Whole or not at all; another gateway's are as good as ours. */
async function write(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  const draft = `${folder}.${randomUUID()}`
  await mkdir(draft, { recursive: true, mode: 0o755 })
  for (const [name, text] of Object.entries(files)) {
    await writeFile(join(draft, name), text, { mode: 0o644 })
  }
  await rename(draft, folder).catch(() => rm(draft, { recursive: true, force: true }))
}
