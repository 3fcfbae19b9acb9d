import { spawnSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as pause } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import type { Owner } from '../../harness/gateway.ts'

export interface Registry {
  /** Where engines ask without TLS, as it is of this machine: `127.0.0.1:PORT`. */
  readonly host: string
  /** Of the image's manifest, which is what the image is pinned by. */
  readonly digest: string
  /** Of the image's configuration, which an engine takes for the image's id. */
  readonly id: string
  /** Bytes of all layers. */
  readonly size: number
  /** The manifests that were asked for, as `NAME TAG` or `NAME DIGEST`. */
  readonly asked: string[]
}

/**
 * A registry that has one image, under every name and tag: of a small layer and a large one, which
 * comes in pieces as long as `isSlow` says so.
 */
export async function startRegistry(owner: Owner, isSlow: () => boolean): Promise<Registry> {
  const { blobs, manifest, id, size } = makeImage()
  const digest = digestOf(manifest)
  const asked: string[] = []
  const server = createServer(async ({ method, url }, response) => {
    if (url === '/v2/') return response.end('{}')
    const [, name, kind, wanted = ''] =
      /^\/v2\/(.+)\/(manifests|blobs)\/([^/]+)$/.exec(String(url)) ?? []
    const isManifest = kind === 'manifests' && (wanted === digest || !wanted.includes(':'))
    const body = isManifest ? manifest : blobs.get(wanted)
    if (body === undefined) return response.writeHead(404).end()
    if (isManifest) asked.push(`${name} ${wanted}`)
    response.writeHead(200, {
      'content-type': isManifest ? MANIFEST : 'application/octet-stream',
      'content-length': body.length,
      'docker-content-digest': isManifest ? digest : wanted,
    })
    if (method === 'HEAD') return response.end()
    await pipeline(Readable.from(piecesOf(body, isSlow)), response).catch(() => {})
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  owner.after(async () => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { host: `127.0.0.1:${port}`, digest, id, size, asked }
}

const MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json'
const PIECE = 32 * 2 ** 10

async function* piecesOf(body: Buffer, isSlow: () => boolean): AsyncGenerator<Buffer> {
  for (let from = 0; from < body.length; from += PIECE) {
    if (from > 0 && isSlow()) await pause(100)
    yield body.subarray(from, from + PIECE)
  }
}

function makeImage() {
  const tars = [tarOf('small', Buffer.from('small')), tarOf('large', randomBytes(4 * 2 ** 20))]
  const layers = tars.map((tar) => gzipSync(tar))
  const config = Buffer.from(
    JSON.stringify({
      architecture: process.arch === 'x64' ? 'amd64' : process.arch,
      os: 'linux',
      config: { User: '1000', Cmd: ['/small'] },
      rootfs: { type: 'layers', diff_ids: tars.map(digestOf) },
    }),
  )
  const part = (type: string, blob: Buffer) => ({
    mediaType: `application/vnd.docker.${type}`,
    size: blob.length,
    digest: digestOf(blob),
  })
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MANIFEST,
      config: part('container.image.v1+json', config),
      layers: layers.map((layer) => part('image.rootfs.diff.tar.gzip', layer)),
    }),
  )
  return {
    blobs: new Map([config, ...layers].map((blob) => [digestOf(blob), blob])),
    manifest,
    id: digestOf(config),
    size: layers.reduce((sum, { length }) => sum + length, 0),
  }
}

function tarOf(name: string, content: Buffer): Buffer {
  const dir = mkdtempSync(join(tmpdir(), 'toolgate-layer-'))
  writeFileSync(join(dir, name), content)
  const { stdout } = spawnSync('tar', ['-C', dir, '-cf', '-', name], { maxBuffer: 2 ** 24 })
  rmSync(dir, { recursive: true })
  return stdout
}

function digestOf(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}
