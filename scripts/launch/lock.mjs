import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'

/** Runs `work` while no other process works on `folder`; a dead owner's lock is taken over. */
export async function withLock(folder, work) {
  mkdirSync(folder, { recursive: true })
  const lock = join(folder, 'lock')
  const mine = `${lock}-${process.pid}`
  writeFileSync(mine, String(process.pid))
  try {
    while (!take(mine, lock)) await setTimeout(100)
    try {
      return await work()
    } finally {
      rmSync(lock, { force: true })
    }
  } finally {
    rmSync(mine, { force: true })
  }
}

/** A link, so that the lock has its owner's pid in it from the first moment. */
function take(mine, lock) {
  try {
    linkSync(mine, lock)
    return true
  } catch (error) {
    if (error.code !== 'EEXIST') throw error
    if (!ownerIsAlive(lock)) abandon(lock)
    return false
  }
}

function ownerIsAlive(lock) {
  try {
    return process.kill(Number(readFileSync(lock, 'utf8')), 0)
  } catch (error) {
    return error.code === 'EPERM'
  }
}

/** Moved away first: of two that find the owner dead, only one can move it. */
function abandon(lock) {
  const gone = `${lock}-of-dead-${process.pid}`
  try {
    renameSync(lock, gone)
    rmSync(gone, { force: true })
  } catch (error) {
    if (error.code !== 'ENOENT') throw error
  }
}
