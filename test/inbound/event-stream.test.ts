import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { test } from 'node:test'
import type { Visit } from '../../src/inbound/door.ts'
import { EventStream } from '../../src/inbound/event-stream.ts'
import { holdUnsent } from '../../src/inbound/unsent.ts'

const MB = 1024 * 1024

/** A stream whose client reads nothing. */
function unread() {
  const socket = new Duplex({ write() {}, read() {} }) as Socket
  const res = new ServerResponse(new IncomingMessage(socket))
  res.assignSocket(socket)
  const visit = { res, headers: [] } as unknown as Visit
  return { res, stream: new EventStream(visit, [], 16 * MB, () => {}) }
}

test('what nobody reads at the end of a stream is counted, and at the bound not kept', async () => {
  const others = new EventEmitter() as ServerResponse
  assert.ok(holdUnsent(others, 256 * MB - 2 * MB))
  const [one, two, brief] = [unread(), unread(), unread()]
  for (const { stream } of [one, two]) stream.write(Buffer.alloc(1.5 * MB))
  for (const { stream } of [one, two, brief]) stream.end()
  assert.deepEqual(
    [one, two, brief].map(({ res }) => res.destroyed),
    [false, true, false],
  )
  one.res.destroy()
  await once(one.res, 'close')
  const three = unread()
  three.stream.write(Buffer.alloc(1.5 * MB))
  three.stream.end()
  assert.equal(three.res.destroyed, false)
  for (const each of [three.res, brief.res]) each.destroy()
  others.emit('close')
})
