// Tries every way out and prints, by name, what came of each.
import { once } from 'node:events'
import { get } from 'node:http'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'

const tried = {}
for (const url of [
  'http://public.example/',
  'http://PUBLIC.example./',
  'http://1.2.3.4/',
  'http://other.example/',
  'http://rebinds.example/',
  'http://here.example:81/',
  'http://here.example:8080/',
  'http://5.6.7.8:8080/',
  'http://169.254.169.254:81/',
  'http://2852039166:81/',
  'http://[::ffff:7f00:1]:81/',
  'http://127.0.0.2:81/',
]) {
  tried[url] = await fetch(url).then(
    async (answer) => (answer.ok ? answer.text() : `refused ${answer.status}`),
    () => 'failed',
  )
}
// Not by CONNECT, as `fetch` does it.
const [answer] = await once(get('http://public.example/plain?q'), 'response')
tried.plain = await text(answer)
for (const place of ['public.example:7', '0x7f.1:81', '127.0.0.1:8080', '[::1]:8080']) {
  const socket = connect(3128, '127.0.0.1')
  socket.end(`CONNECT ${place} HTTP/1.1\r\nHost: ${place}\r\n\r\nping`)
  tried[place] = (await text(socket)).replace(/\r\n(?:.*\r\n)?\r\n/s, ' | ').trim()
}
// Without the proxy there is no way at all.
tried.direct = await new Promise((done) => {
  const socket = connect(80, '1.2.3.4', () => done('connected'))
  socket.on('error', ({ code }) => done(code))
})
process.stdout.write(JSON.stringify(tried))
