import { after, before, test } from 'node:test'
import { noPodman, startPodman } from '../harness/podman.ts'
import { absent } from '../harness/services.ts'
import { attackAll, besiegeBoxed } from './boxed.ts'
import type { Besieged } from './house.ts'
import { armImage } from './image.ts'

const skip = noPodman || absent('python3') || absent('ldd')
const ends: (() => Promise<void>)[] = []
const owner = { after: (end: () => Promise<void>) => void ends.push(end) }
after(async () => {
  for (const end of ends.reverse()) await end()
})
let besieged: Besieged
before(async () => {
  if (!skip) besieged = await besiegeBoxed(owner, await startPodman(owner, { fill: armImage }))
})

test('a tool in a container of Podman gets through nowhere', { skip }, async (t) => {
  await attackAll(t, besieged)
})
