export interface LineReaderOptions {
  /** Longest line in bytes, counted before its `\n`. */
  readonly limit: number
  /**
   * One line without its end; never empty. A line that came in one chunk is a view of that chunk:
   * whoever keeps it past the turn copies it, or 200 bytes hold 64 KiB.
   */
  onLine(line: Buffer): void
  /** Once for each line over the limit, with the bytes seen of it by then; the line is dropped. */
  onTooLong(length: number): void
}

/** Chunks of bytes in, lines out: linear in the input whatever the chunking, and bounded. */
export class LineReader {
  readonly #options: LineReaderOptions
  #pieces: Buffer[] = []
  #length = 0
  #dropping = false
  // Small pieces are gathered here, so that a line written byte by byte is not a Buffer a byte.
  #slab: Buffer = NOTHING
  #filled = 0
  #sealed = 0

  constructor(options: LineReaderOptions) {
    this.#options = options
  }

  push(chunk: Buffer): void {
    let start = 0
    for (;;) {
      const end = chunk.indexOf(LF, start)
      if (end === -1) break
      this.#add(chunk, start, end)
      this.#finish()
      start = end + 1
    }
    if (start < chunk.length) this.#add(chunk, start, chunk.length, true)
  }

  /** The input is over: a last line without a newline still counts. */
  end(): void {
    this.#finish()
  }

  #add(chunk: Buffer, start: number, end: number, more = false): void {
    if (this.#dropping || start === end) return
    this.#length += end - start
    if (this.#length > this.#options.limit) {
      const length = this.#length
      this.#clear()
      this.#dropping = true
      this.#options.onTooLong(length)
      return
    }
    const piece = chunk.subarray(start, end)
    // Only what has to wait is worth gathering: the last piece of a line is joined at once.
    if (more && piece.length < SMALL) this.#gather(piece)
    else {
      this.#seal()
      this.#pieces.push(piece)
    }
  }

  #finish(): void {
    this.#dropping = false
    if (this.#length === 0) return
    this.#seal()
    const pieces = this.#pieces
    const joined = pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces, this.#length)
    this.#clear()
    const line = joined.at(-1) === CR ? joined.subarray(0, -1) : joined
    if (line.length > 0) this.#options.onLine(line)
  }

  #gather(piece: Buffer): void {
    if (this.#filled + piece.length > this.#slab.length) {
      this.#seal()
      this.#slab = Buffer.allocUnsafeSlow(SLAB)
      this.#filled = this.#sealed = 0
    }
    this.#filled += piece.copy(this.#slab, this.#filled)
  }

  #seal(): void {
    if (this.#filled === this.#sealed) return
    this.#pieces.push(this.#slab.subarray(this.#sealed, this.#filled))
    this.#sealed = this.#filled
  }

  #clear(): void {
    if (this.#pieces.length > 0) this.#pieces = []
    this.#length = 0
    this.#slab = NOTHING
    this.#filled = this.#sealed = 0
  }
}

const LF = 10
const CR = 13
const SMALL = 2048
const SLAB = 16_384
const NOTHING = Buffer.alloc(0)
