#!/usr/bin/env node
// The package's bin: `npx toolgate serve`.
import { fileURLToPath } from 'node:url'
import { launch } from './launch/launch.mjs'

const main = fileURLToPath(new URL('../src/main.js', import.meta.url))
await launch([main, ...process.argv.slice(2)])
