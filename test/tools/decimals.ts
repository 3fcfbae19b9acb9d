/** Decimal texts in a fixed order for each seed: signed, with up to 12 digits, of many sizes. */
export function decimals(seed: number): () => string {
  const random = mulberry32(seed)
  return () => {
    const digits = Math.floor(random() * 10 ** (1 + Math.floor(random() * 12)))
    const places = Math.floor(random() * 10)
    const text = String(digits).padStart(places + 1, '0')
    const point = text.length - places
    const fraction = places === 0 ? '' : `.${text.slice(point)}`
    return `${random() < 0.5 ? '-' : ''}${text.slice(0, point)}${fraction}`
  }
}

function mulberry32(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
