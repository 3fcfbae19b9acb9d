/**
 * Waits until `look` gives something other than undefined, null or false, and returns that.
 * Fails after `ms` with what was waited for.
 */
export async function until<T>(
  what: string,
  look: () => T | Promise<T>,
  ms = 10_000,
): Promise<NonNullable<T>> {
  const since = performance.now()
  for (;;) {
    const seen = await look()
    if (seen !== undefined && seen !== null && seen !== false) return seen
    const waited = performance.now() - since
    if (waited > ms) throw new Error(`Not within ${ms} ms: ${what}`)
    // Many looks cost what those who are waited for could use: the longer it takes, the fewer.
    await new Promise((again) => setTimeout(again, Math.min(25 + waited / 8, 100)))
  }
}

/** The promise's outcome, or a failure after `ms` that says what was waited for. */
export async function within<T>(ms: number, what: string, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, fail) => {
    timer = setTimeout(() => fail(new Error(`Not within ${ms} ms: ${what}`)), ms)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
