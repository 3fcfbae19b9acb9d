import assert from 'node:assert/strict'

/**
 * Compares output with what a document shows. In JSON the text `…` stands for any value, and an
 * entry `"…": "…"` for whatever else an object has; in a line of text `…` stands for any part of it.
 */
export function assertShown(actual: string, expected: { language: string; text: string }): void {
  if (expected.language === 'json') {
    const value: unknown = JSON.parse(actual)
    assert.deepEqual(likeShown(value, JSON.parse(expected.text)), JSON.parse(expected.text))
    return
  }
  const shown = expected.text.trimEnd().split('\n')
  const lines = actual.trimEnd().split('\n')
  const like = lines.map((line, index) => (fits(line, shown[index]) ? shown[index] : line))
  assert.deepEqual(like, shown)
}

function fits(line: string, shown = ''): boolean {
  const parts = shown.split('…').map((part) => part.replaceAll(/[^\w\s]/g, '\\$&'))
  return parts.length > 1 && new RegExp(`^${parts.join('.*')}$`).test(line)
}

/** The value, with `…` wherever that is shown. */
function likeShown(value: unknown, shown: unknown): unknown {
  if (shown === '…') return value === undefined ? undefined : '…'
  if (Array.isArray(value) && Array.isArray(shown)) {
    return value.map((item, index) => likeShown(item, shown[index]))
  }
  if (!isObject(value) || !isObject(shown)) return value
  const rest = '…' in shown
  const entries = Object.entries(value).filter(([key]) => !rest || key in shown)
  return Object.fromEntries([
    ...entries.map(([key, inner]) => [key, likeShown(inner, shown[key])]),
    ...(rest ? [['…', '…']] : []),
  ])
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
