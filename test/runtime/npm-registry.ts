import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import { gzipSync } from 'node:zlib'

/** A registry of one's own: `files` of each `name@version`. Counts what was asked for. */
export async function npmRegistry(
  t: TestContext,
  packages: Readonly<Record<string, Readonly<Record<string, string>>>>,
) {
  const asked: string[] = []
  const hung = new Set<string>()
  const server = createServer((request, response) => {
    const url = decodeURIComponent(request.url ?? '')
    asked.push(url)
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const found = Object.entries(packages).find(([spec]) => url.startsWith(`/${nameOf(spec)}`))
    if (found === undefined) return response.writeHead(404).end('{}')
    const [spec, files] = found
    if (hung.has(nameOf(spec))) return
    if (url.endsWith('.tgz')) return response.end(tarball(files))
    const [name, version] = [nameOf(spec), spec.slice(nameOf(spec).length + 1)]
    const manifest = JSON.parse(files['package.json'] ?? '{}')
    const dist = { tarball: `${origin}/${name}/-/package.tgz` }
    response.setHeader('content-type', 'application/json')
    response.end(
      JSON.stringify({
        name,
        'dist-tags': { latest: version },
        versions: { [version]: { name, version, dist, ...manifest } },
      }),
    )
  })
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  return { url, asked, hang: (name: string) => hung.add(name) }
}

function nameOf(spec: string): string {
  return spec.slice(0, spec.lastIndexOf('@'))
}

function tarball(files: Readonly<Record<string, string>>): Buffer {
  const blocks = Object.entries(files).flatMap(([path, text]) => {
    const body = Buffer.from(text)
    const head = Buffer.alloc(512)
    head.write(`package/${path}`)
    head.write('0000755\0', 100)
    head.write(`${body.length.toString(8).padStart(11, '0')}\0`, 124)
    head.write('00000000000\0', 136)
    head.write('        0', 148)
    head.write('ustar\x0000', 257)
    const sum = head.reduce((total, byte) => total + byte, 0)
    head.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
    return [head, body, Buffer.alloc((512 - (body.length % 512)) % 512)]
  })
  return gzipSync(Buffer.concat([...blocks, Buffer.alloc(1024)]))
}
