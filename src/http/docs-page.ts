/** The page of `/docs/`: what it loads lies beside it, so it also works below a prefix. */
export const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Toolgate</title>
<link rel="icon" type="image/png" href="favicon-32x32.png">
<link rel="stylesheet" href="swagger-ui.css">
</head>
<body>
<form id="entry" class="swagger-ui" hidden>
<div class="wrapper">
<h1 class="title">Toolgate</h1>
<p><label for="key">This gateway asks for an API key. The page keeps it until it is closed.</label></p>
<p><input id="key" type="password" autocomplete="off" required> <button class="btn">Open</button></p>
<p id="refusal" role="alert"></p>
</div>
</form>
<div id="reference"></div>
<script src="swagger-ui-bundle.js"></script>
<script src="initializer.js"></script>
</body>
</html>
`

/**
 * Runs in the browser. The document needs a key where the gateway does, and Swagger UI asks for one
 * only once it has the document; so it is asked for before.
 */
export const INITIALIZER = `const DOCUMENT = '../openapi.json'
const entry = document.getElementById('entry')
const field = document.getElementById('key')
const refusal = document.getElementById('refusal')

async function open(key) {
  const headers = key === undefined ? {} : { 'X-API-Key': key }
  const { status } = await fetch(DOCUMENT, { method: 'HEAD', headers })
  entry.hidden = status !== 401
  if (status === 401) {
    if (key !== undefined) refusal.textContent = 'The gateway does not know this key.'
    return
  }
  const ui = SwaggerUIBundle({
    url: DOCUMENT,
    domNode: document.getElementById('reference'),
    validatorUrl: null,
    queryConfigEnabled: false,
    deepLinking: true,
    persistAuthorization: false,
    requestInterceptor(request) {
      if (request.loadSpec) Object.assign(request.headers, headers)
      return request
    },
    onComplete() {
      if (key !== undefined) ui.preauthorizeApiKey('key', key)
    },
  })
}

function tryToOpen(key) {
  open(key).catch((error) => {
    entry.hidden = false
    refusal.textContent = 'The gateway cannot be asked: ' + error.message
  })
}

entry.addEventListener('submit', (event) => {
  event.preventDefault()
  tryToOpen(field.value.trim())
})
tryToOpen()
`
