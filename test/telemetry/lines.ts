import { Writable } from 'node:stream'

export type Line = Readonly<Record<string, unknown>>

/** A stream that keeps the JSON lines it was given. */
export class Lines extends Writable {
  #text = ''

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.#text += chunk.toString()
    done()
  }

  get all(): Line[] {
    return this.#text
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line))
  }
}
