import { readFileSync, statSync, utimesSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const LOCK = fileURLToPath(new URL('../../package-lock.json', import.meta.url))
const INSTALLED = fileURLToPath(new URL('../../node_modules/.package-lock.json', import.meta.url))

/** Whether node_modules is what package-lock.json asks for. */
export function packagesAreThere() {
  const installed = statSync(INSTALLED, { throwIfNoEntry: false })
  if (!installed) return false
  if (installed.mtimeMs >= statSync(LOCK).mtimeMs) return true
  if (!sameVersions(packagesOf(LOCK), packagesOf(INSTALLED))) return false
  // A checkout that only touched the lock file is compared once, not at each start.
  const now = new Date()
  utimesSync(INSTALLED, now, now)
  return true
}

function packagesOf(file) {
  return JSON.parse(readFileSync(file, 'utf8')).packages ?? {}
}

function sameVersions(wanted, installed) {
  const asked = Object.entries(wanted).filter(([path]) => path !== '')
  return (
    Object.keys(installed).every((path) => path in wanted) &&
    asked.every(([path, { version, integrity, optional }]) => {
      const found = installed[path]
      if (!found) return optional === true
      return found.version === version && found.integrity === integrity
    })
  )
}
