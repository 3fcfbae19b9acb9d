import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import express, { type Response, type Router } from 'express'

/** The files of Swagger UI that the page needs; nothing else of that package is served. */
const FILES = ['swagger-ui.css', 'swagger-ui-bundle.js', 'favicon-32x32.png']

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

const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Toolgate</title>
<link rel="icon" type="image/png" href="favicon-32x32.png">
<link rel="stylesheet" href="swagger-ui.css">
</head>
<body>
<div id="reference"></div>
<script src="swagger-ui-bundle.js"></script>
<script src="initializer.js"></script>
</body>
</html>
`

const INITIALIZER = `SwaggerUIBundle({
  url: '../openapi.json',
  domNode: document.getElementById('reference'),
  validatorUrl: null,
  queryConfigEnabled: false,
  deepLinking: true,
  persistAuthorization: false,
})
`

/** `/docs`: the interactive reference, from local files only. */
export function docs(): Router {
  const root = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'))
  const router = express.Router({ strict: true })
  // The page's links are relative, so that it also works below a prefix.
  router.get('/docs', (_req, res) => res.redirect(308, 'docs/'))
  router.get('/docs/', (_req, res) => own(res, 'text/html', PAGE))
  router.get('/docs/initializer.js', (_req, res) => own(res, 'text/javascript', INITIALIZER))
  for (const file of FILES) {
    router.get(`/docs/${file}`, (_req, res, next) => {
      open(res)
      res.setHeader('Cache-Control', 'public, max-age=3600')
      res.sendFile(file, { root, cacheControl: false }, next)
    })
  }
  return router
}

function own(res: Response, type: string, text: string): void {
  open(res)
  res.type(type).send(text)
}

/** In place of the front door's policy, which lets a page load nothing at all. */
function open(res: Response): void {
  res.setHeader('Content-Security-Policy', POLICY)
}
