import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  isLegacyVersion,
  isModernVersion,
  LATEST_LEGACY,
  LATEST_MODERN,
  LEGACY_VERSIONS,
  MODERN_VERSIONS,
} from '../../src/protocol/versions.ts'

test('each revision is of one era, and the latest is the last of its list', () => {
  assert.equal(LEGACY_VERSIONS.at(-1), LATEST_LEGACY)
  assert.equal(MODERN_VERSIONS.at(-1), LATEST_MODERN)
  for (const version of LEGACY_VERSIONS) {
    assert.ok(isLegacyVersion(version) && !isModernVersion(version))
  }
  for (const version of MODERN_VERSIONS) {
    assert.ok(isModernVersion(version) && !isLegacyVersion(version))
  }
  for (const version of ['', '2025-01-01', 1, undefined]) {
    assert.ok(!isLegacyVersion(version) && !isModernVersion(version))
  }
})
