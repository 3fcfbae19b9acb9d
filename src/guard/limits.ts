import BurstyRateLimiter from 'rate-limiter-flexible/lib/BurstyRateLimiter.js'
// Not the package's index: it loads every database's limiter, for 2 MB at rest.
import RateLimiterMemory from 'rate-limiter-flexible/lib/RateLimiterMemory.js'
import RateLimiterRes from 'rate-limiter-flexible/lib/RateLimiterRes.js'
import type { Caller } from '../call/caller.ts'
import { ToolgateError } from '../errors.ts'
import type { Meters } from '../telemetry/telemetry.ts'
import type { Declaration, Limits } from '../tool/declaration.ts'

export interface ToolLimits {
  /** Counts one call. Rejects with `rate_limited` when the tool has had its share. */
  charge(caller: Caller, tool: Declaration): Promise<void>
  /** This version's limits hold for the tool from now on, for sessions of older ones too. */
  serve(tool: Declaration): void
  /** Drops what is counted for a tool that is gone. */
  forget(tool: string): void
  close(): void
}

/**
 * How often each tool may be called: `calls` in each `per`, and `burst` more that come back only
 * every ten `per`, so that in the long run `calls` holds. A tool's own limits go before `standard`.
 */
export function createLimits(standard: Limits, meters: Pick<Meters, 'rateLimited'>): ToolLimits {
  const limiters = new Map<string, Limiter>()
  const serve = (tool: Declaration): Limiter => {
    const limits = tool.limits ?? standard
    const known = limiters.get(tool.name)
    if (known?.holds(limits) === true) return known
    known?.close()
    const limiter = new Limiter(tool.name, limits)
    limiters.set(tool.name, limiter)
    return limiter
  }
  return {
    serve,
    async charge(_caller, tool) {
      const limiter = limiters.get(tool.name) ?? serve(tool)
      const wait = await limiter.take()
      if (wait === 0) return
      meters.rateLimited(tool.name)
      throw refusal(tool.name, limiter.limits, wait)
    },
    forget(tool) {
      limiters.get(tool)?.close()
      limiters.delete(tool)
    },
    close() {
      for (const limiter of limiters.values()) limiter.close()
      limiters.clear()
    },
  }
}

class Limiter {
  readonly #tool: string
  readonly limits: Limits
  readonly #rate: RateLimiterMemory
  readonly #burst: RateLimiterMemory
  readonly #both: Pick<RateLimiterMemory, 'consume'>

  constructor(tool: string, limits: Limits) {
    const { calls, per, burst } = limits
    this.#tool = tool
    this.limits = limits
    this.#rate = new RateLimiterMemory({ points: calls, duration: per / 1000 })
    // A longer timer than Node's longest would fire at once, and forget the count.
    const refill = Math.min(per * 10, 2 ** 31 - 1)
    this.#burst = new RateLimiterMemory({ points: burst, duration: refill / 1000 })
    this.#both = burst === 0 ? this.#rate : new BurstyRateLimiter(this.#rate, this.#burst)
  }

  /** A reload makes new objects of old limits; only other numbers start a new count. */
  holds({ calls, per, burst }: Limits): boolean {
    const mine = this.limits
    return mine.calls === calls && mine.per === per && mine.burst === burst
  }

  /** 0: taken; else the milliseconds until a call may pass again. */
  async take(): Promise<number> {
    try {
      await this.#both.consume(this.#tool)
      return 0
    } catch (refused) {
      if (refused instanceof RateLimiterRes) return Math.max(1, refused.msBeforeNext)
      throw refused
    }
  }

  /** Ends the limiters' timers with their counts. */
  close(): void {
    void this.#rate.delete(this.#tool)
    void this.#burst.delete(this.#tool)
  }
}

function refusal(tool: string, { calls, per, burst }: Limits, wait: number): ToolgateError {
  const more = burst === 0 ? '' : ` and ${burst} more in a burst`
  const limit = `${calls} calls every ${inWords(per)}${more}`
  return new ToolgateError('rate_limited', `${tool} takes ${limit}; try again later.`, {
    retryAfter: Math.ceil(wait / 1000),
    data: { limit: { calls, perMs: per, burst } },
  })
}

function inWords(milliseconds: number): string {
  return milliseconds % 1000 === 0 ? `${milliseconds / 1000} s` : `${milliseconds} ms`
}
