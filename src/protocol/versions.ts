/** MCP revisions that begin with `initialize`, oldest first. */
export const LEGACY_VERSIONS = ['2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25'] as const

/** MCP revisions that carry everything in each request's `_meta`, oldest first. */
export const MODERN_VERSIONS = ['2026-07-28'] as const

export type LegacyVersion = (typeof LEGACY_VERSIONS)[number]
export type ModernVersion = (typeof MODERN_VERSIONS)[number]

export const LATEST_LEGACY: LegacyVersion = '2025-11-25'
export const LATEST_MODERN: ModernVersion = '2026-07-28'

export function isLegacyVersion(version: unknown): version is LegacyVersion {
  return LEGACY_VERSIONS.some((known) => known === version)
}

export function isModernVersion(version: unknown): version is ModernVersion {
  return MODERN_VERSIONS.some((known) => known === version)
}
