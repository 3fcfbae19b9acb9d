import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { ToolgateError } from '../errors.ts'
import { INITIALIZER, PAGE } from './docs-page.ts'
import { pathOf } from './path-of.ts'

/** The files of Swagger UI that the page needs; nothing else of that package is served. */
const FILES = new Map([
  ['/docs/swagger-ui.css', 'text/css; charset=utf-8'],
  ['/docs/swagger-ui-bundle.js', 'text/javascript; charset=utf-8'],
  ['/docs/favicon-32x32.png', 'image/png'],
])

/** Everything comes from here, nothing from elsewhere, nothing inline. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

/**
 * The interactive reference, answered to anyone: a browser sends no key with a page it opens, and
 * nothing in these files is of this gateway. What the page then asks for needs a key as ever.
 */
export const DOCS_PATHS: ReadonlySet<string> = new Set([
  '/docs',
  '/docs/',
  '/docs/initializer.js',
  ...FILES.keys(),
])

/** Answers one of `DOCS_PATHS` from local files only. */
export async function answerDocs(req: IncomingMessage, res: ServerResponse): Promise<void> {
  if (req.method === 'OPTIONS') {
    res.writeHead(204, { Allow: 'GET, HEAD, OPTIONS' }).end()
    return
  }
  if (req.method !== 'GET' && req.method !== 'HEAD') {
    const data = { allow: ['GET', 'HEAD'] }
    throw new ToolgateError('method_not_allowed', 'The reference is only read.', { data })
  }
  // In place of the front door's policy, which lets a page load nothing at all.
  res.setHeader('Content-Security-Policy', POLICY)
  const path = pathOf(req)
  if (path === '/docs') {
    // Relative, so that it also works below a prefix.
    res.writeHead(308, { Location: 'docs/', 'Content-Length': 0 }).end()
  } else if (path === '/docs/') text(res, 'text/html', PAGE)
  else if (path === '/docs/initializer.js') text(res, 'text/javascript', INITIALIZER)
  else await file(req, res, path)
}

function text(res: ServerResponse, type: string, content: string): void {
  res.setHeader('Content-Type', `${type}; charset=utf-8`)
  res.setHeader('Content-Length', Buffer.byteLength(content))
  res.setHeader('Cache-Control', 'no-store')
  res.end(content)
}

let folder: string | undefined

async function file(req: IncomingMessage, res: ServerResponse, path: string): Promise<void> {
  folder ??= dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'))
  const source = join(folder, path.slice('/docs/'.length))
  const { size } = await stat(source)
  res.setHeader('Content-Type', FILES.get(path) ?? 'application/octet-stream')
  res.setHeader('Content-Length', size)
  res.setHeader('Cache-Control', 'public, max-age=3600')
  if (req.method === 'HEAD') {
    res.end()
    return
  }
  try {
    await pipeline(createReadStream(source), res)
  } catch (error) {
    // The browser went away.
    if (!res.destroyed) throw error
  }
}
