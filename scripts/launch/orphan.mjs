/** Milliseconds between two looks; nothing else tells that a parent was killed by SIGKILL. */
const LOOK = 1_000

/** Calls `end` once when `parent` is this process's parent no more. Keeps nothing running. */
export function whenOrphaned(parent, end) {
  const timer = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(timer)
    end()
  }, LOOK)
  timer.unref()
}
