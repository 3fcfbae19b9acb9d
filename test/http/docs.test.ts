import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, test } from 'node:test'
import { runInNewContext } from 'node:vm'
import supertest from 'supertest'
import { startGateway } from '../harness/gateway.ts'

const KEY = 'ada-secret'
const hash = `sha256:${createHash('sha256').update(KEY).digest('hex')}`
const gateway = await startGateway({ after }, { config: { keys: [{ id: 'ada', hash }] } })
const ask = () => supertest(gateway.url)

test('The reference comes without a key, from local files, under a policy of its own', async () => {
  assert.equal((await ask().get('/docs').expect(308)).get('Location'), 'docs/')
  const page = await ask().get('/docs/?x=1').expect(200)
  assert.match(page.get('Content-Security-Policy') ?? '', /script-src 'self'; style-src 'self';/)
  assert.equal(page.get('X-Content-Type-Options'), 'nosniff')
  assert.doesNotMatch(page.text, /https?:|<script>|onload=/)
  const files = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, file]) => file)
  assert.equal(files.length, 4)
  for (const file of files) {
    const { headers } = await ask().get(`/docs/${file}`).expect(200)
    const head = await ask().head(`/docs/${file}`).expect(200)
    assert.equal(head.get('Content-Length'), headers['content-length'])
  }
})

test('Nothing else comes without a key', async () => {
  const paths = ['/openapi.json', '/openapi.yaml', '/v1/tools', '/health', '/']
  const near = [
    '/docs/package.json',
    '/docs/x',
    '/docs//',
    '/DOCS/',
    '/docs/initializer.js/',
    '//docs',
  ]
  for (const path of [...paths, ...near]) await ask().get(path).expect(401)
  for (const path of ['/docs/..%2fpackage.json', '/docs/../v1/tools', '/docs/%2e%2e/v1/tools']) {
    assert.notEqual((await ask().get(path)).status, 200, path)
  }
  await ask().get('/docs/sse').expect(401)
})

test('The reference is only read', async () => {
  const wrong = await ask().post('/docs/').send({}).expect(405)
  assert.equal(wrong.get('Allow'), 'GET, HEAD')
  assert.equal((await ask().options('/docs/').expect(204)).get('Allow'), 'GET, HEAD, OPTIONS')
  await ask().get('/docs/').set('Host', 'evil.example').expect(403)
})

test('Where a key is needed the page asks for it, and opens the document with it', async () => {
  const page = await openPage()
  assert.equal(page.entry.hidden, false)
  assert.equal(page.opened.length, 0)
  await page.submit('wrong')
  assert.match(page.refusal.textContent, /does not know/)
  await page.submit(KEY)
  assert.equal(page.entry.hidden, true)
  const [options] = page.opened
  assert.ok(options)
  const url = new URL(options.url, `${gateway.url}/docs/`)
  const asked = options.requestInterceptor({ loadSpec: true, url: url.href, headers: {} })
  assert.equal((await fetch(asked.url, { headers: asked.headers })).status, 200)
  const tried = options.requestInterceptor({ url: '/v1/tools', headers: {} })
  assert.deepEqual({ ...tried.headers }, {})
  options.onComplete()
  assert.deepEqual(page.authorized, [['key', KEY]])
})

interface SwaggerRequest {
  loadSpec?: boolean
  url: string
  headers: Record<string, string>
}
interface SwaggerOptions {
  readonly url: string
  requestInterceptor(request: SwaggerRequest): SwaggerRequest
  onComplete(): void
}

/** Runs the page's own script as a browser would, as far as it goes. */
async function openPage() {
  const { text } = await ask().get('/docs/initializer.js').buffer(true).expect(200)
  const opened: SwaggerOptions[] = []
  const authorized: string[][] = []
  let answered = Promise.withResolvers<void>()
  let onSubmit = (_event: { preventDefault(): void }) => {}
  const entry = {
    hidden: true,
    addEventListener: (_name: string, listener: typeof onSubmit) => {
      onSubmit = listener
    },
  }
  const field = { value: '' }
  const refusal = { textContent: '' }
  const elements: Record<string, unknown> = { entry, key: field, refusal, reference: {} }
  runInNewContext(text, {
    document: { getElementById: (id: string) => elements[id] },
    fetch: async (url: string, options: RequestInit) => {
      const answer = await fetch(new URL(url, `${gateway.url}/docs/`), options)
      // After whatever the script does with it.
      setImmediate(() => answered.resolve())
      return answer
    },
    SwaggerUIBundle: (options: SwaggerOptions) => {
      opened.push(options)
      return { preauthorizeApiKey: (...words: string[]) => authorized.push(words) }
    },
  })
  await answered.promise
  return {
    entry,
    refusal,
    opened,
    authorized,
    async submit(key: string) {
      answered = Promise.withResolvers()
      field.value = key
      onSubmit({ preventDefault() {} })
      await answered.promise
    },
  }
}
