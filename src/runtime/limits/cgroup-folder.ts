import { readMark } from '../../mark.ts'

/** Name of an instance's folder, by which those of the dead are found. */
export function folderOf(mark: string): string {
  return `${PREFIX}${mark}`
}

/** The mark of the instance whose folder it is; undefined: it is none of ours. */
export function markOfFolder(folder: string): string | undefined {
  if (!folder.startsWith(PREFIX)) return undefined
  const mark = folder.slice(PREFIX.length)
  return readMark(mark) === undefined ? undefined : mark
}

const PREFIX = 'toolgate.'
