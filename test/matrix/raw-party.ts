import { META } from '../../src/protocol/meta.ts'
import type { Owner } from '../harness/gateway.ts'
import type { Json } from '../harness/session.ts'
import { until } from '../harness/until.ts'
import { ANSWERS, CAPABILITIES, metaOf, type Party } from './parties.ts'

const VERSION = '2026-07-28'

/** A modern client as the wire has it: every request is a POST, and all it needs is in it. */
export async function openRawParty(
  owner: Owner,
  url: string,
  own: Readonly<Record<string, string>>,
): Promise<Party> {
  const received: Json[] = []
  const leaving = new AbortController()
  let ids = 0

  /** Reads the answer to one request to its end, into `received`; gives its result. */
  async function send(method: string, params: Json, signal?: AbortSignal): Promise<Json> {
    const id = `raw-${++ids}`
    const named = params.name ?? params.uri
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        ...own,
        ...(typeof named === 'string' && { 'mcp-name': named }),
        accept: 'application/json, text/event-stream',
        'content-type': 'application/json',
        'mcp-method': method,
        'mcp-protocol-version': VERSION,
      },
      body: JSON.stringify({
        jsonrpc: '2.0',
        id,
        method,
        params: { ...params, _meta: meta(params) },
      }),
      signal: AbortSignal.any([leaving.signal, ...(signal ? [signal] : [])]),
    })
    for await (const message of messagesOf(response)) received.push(message)
    const answer = received.find((message) => message.id === id)
    if (answer?.result === undefined) throw new Error(`${method}: ${JSON.stringify(answer)}`)
    return answer.result as Json
  }

  async function ask(
    method: string,
    params: Json,
    signal?: AbortSignal,
    rounds = 4,
  ): Promise<Json> {
    const result = await send(method, params, signal)
    if (result.resultType !== 'input_required' || rounds === 0) return result
    const { requestState, inputRequests = {} } = result
    const answered = Object.entries(inputRequests as Record<string, { method: Asked }>).map(
      ([key, { method }]) => [key, ANSWERS[method]()],
    )
    const inputResponses = Object.fromEntries(answered)
    const again = { ...params, inputResponses, ...(requestState ? { requestState } : {}) }
    return ask(method, again, signal, rounds - 1)
  }

  const close = async () => leaving.abort()
  owner.after(close)
  await send('server/discover', {})
  return {
    request: (method, params, { signal, ...wishes } = {}) =>
      ask(method, { ...params, _meta: metaOf(wishes) }, signal),
    async watch(uri) {
      const notifications = { toolsListChanged: true, resourceSubscriptions: [uri] }
      const failed = send('subscriptions/listen', { notifications }).then(
        () => 'it ended',
        (error: Error) => error.message,
      )
      let end: string | undefined
      failed.then((why) => {
        end = why
      })
      await until('the listen to be acknowledged', () => {
        if (end !== undefined) throw new Error(end)
        return received.some(({ method }) => method === ACKNOWLEDGED)
      })
    },
    received,
    close,
  }
}

type Asked = keyof typeof ANSWERS
const ACKNOWLEDGED = 'notifications/subscriptions/acknowledged'

const meta = ({ _meta }: Json) => ({
  ...(_meta as Json | undefined),
  [META.protocolVersion]: VERSION,
  [META.clientCapabilities]: CAPABILITIES,
  [META.clientInfo]: { name: 'test', version: '1.0.0' },
})

/** One message, or each event of a stream as it comes. */
async function* messagesOf(response: Response): AsyncGenerator<Json> {
  if (!response.headers.get('content-type')?.startsWith('text/event-stream')) {
    const text = await response.text()
    if (text === '') throw new Error(`${response.status} without a body`)
    yield JSON.parse(text)
    return
  }
  let rest = ''
  for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    const blocks = (rest + chunk).split('\n\n')
    rest = blocks.pop() ?? ''
    for (const block of blocks) {
      const data = block.split('\n').filter((line) => line.startsWith('data:'))
      const text = data.map((line) => line.slice('data:'.length)).join('\n')
      if (text.trim() !== '') yield JSON.parse(text)
    }
  }
}
