/** What a caller is told of an instance that met its bounds. */
export function memoryBreach(bytes: number): string {
  return `it used more than its memory (${megabytes(bytes)})`
}

export function processesBreach(processes: number): string {
  return `it started more than its ${processes} processes and threads`
}

export function diskBreach(bytes: number): string {
  return `it keeps more than its ${megabytes(bytes)} on disk`
}

function megabytes(bytes: number): string {
  return `${Math.max(1, Math.round(bytes / 2 ** 20))} MB`
}
