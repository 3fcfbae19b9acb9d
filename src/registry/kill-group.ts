/** Kills a child that was started `detached`, and whatever it started; none left is no error. */
export function killGroup(leader: number | undefined): void {
  if (leader === undefined) return
  try {
    process.kill(-leader, 'SIGKILL')
  } catch {
    // ESRCH: they have ended.
  }
}
