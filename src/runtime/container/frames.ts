/**
 * Takes apart what an engine sends of a container's output: frames of eight bytes, which tell the
 * stream and the length, and that many bytes. Nothing is held back but a header that is not whole.
 */
export class FrameReader {
  readonly #take: (stream: 1 | 2, chunk: Buffer) => void
  #header = Buffer.alloc(0)
  #stream: 1 | 2 = 1
  #left = 0

  constructor(take: (stream: 1 | 2, chunk: Buffer) => void) {
    this.#take = take
  }

  /** Throws where the stream has no frames. */
  push(chunk: Buffer): void {
    let at = 0
    while (at < chunk.length) {
      if (this.#left > 0) {
        const part = chunk.subarray(at, at + this.#left)
        this.#left -= part.length
        at += part.length
        this.#take(this.#stream, part)
      } else at = this.#readHeader(chunk, at)
    }
  }

  #readHeader(chunk: Buffer, at: number): number {
    const end = at + HEADER - this.#header.length
    this.#header = Buffer.concat([this.#header, chunk.subarray(at, end)])
    if (this.#header.length === HEADER) {
      const stream = this.#header[0]
      if (stream === undefined || stream > 2) throw new Error('it has no frames')
      this.#stream = stream === 2 ? 2 : 1
      this.#left = this.#header.readUInt32BE(4)
      this.#header = Buffer.alloc(0)
    }
    return Math.min(end, chunk.length)
  }
}

const HEADER = 8
