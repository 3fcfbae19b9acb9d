import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { createCatalogue, type LearningCatalogue } from '../../src/catalogue/create.ts'
import type { LogLine } from '../harness/gateway.ts'
import { openPool } from '../pool/given.ts'

export interface CatalogueGiven {
  readonly catalogue: LearningCatalogue
  /** How many processes were started to be asked for their era, and how many besides. */
  started(): { readonly probes: number; readonly others: number }
  /** A new one on the same disk, as after a restart. */
  again(): Promise<CatalogueGiven>
}

export interface CatalogueOptions {
  /** Milliseconds for a start. */
  readonly start?: number
}

/** A catalogue over a pool of real processes. */
export function openCatalogue(
  t: TestContext,
  options: CatalogueOptions = {},
): Promise<CatalogueGiven> {
  const cache = mkdtempSync(join(tmpdir(), 'toolgate-catalogue-'))
  t.after(() => rmSync(cache, { recursive: true, force: true }))
  return open(t, cache, options)
}

async function open(
  t: TestContext,
  cache: string,
  options: CatalogueOptions,
): Promise<CatalogueGiven> {
  const { pool, logs } = await openPool(t, {
    ...options,
    spoken: (tool) => catalogue.spoken(tool),
  })
  const log = { debug() {}, info() {}, warn() {}, error() {}, child: () => log }
  const catalogue = createCatalogue({ pool, cache, log })
  const started = (line: LogLine) => line.msg === 'instance started'
  return {
    catalogue,
    started: () => ({
      probes: logs.filter((line) => started(line) && line.probe === true).length,
      others: logs.filter((line) => started(line) && line.probe !== true).length,
    }),
    again: () => open(t, cache, options),
  }
}
