import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Caller } from '../../src/call/caller.ts'
import { checkAccess } from '../../src/guard/access.ts'
import type { Declaration } from '../../src/tool/declaration.ts'
import { callerWith, toolWith } from './given.ts'

type Case = [
  title: string,
  access: Partial<Declaration['access']>,
  caller: Partial<Caller>,
  allowed: boolean,
]

const CASES: Case[] = [
  ['anyone where nothing is asked for', {}, { anonymous: true }, true],
  ['a caller with one of the roles', { roles: ['a', 'b'] }, { roles: ['b'] }, true],
  ['no caller without any of the roles', { roles: ['a', 'b'] }, { roles: ['c'] }, false],
  ['no anonymous caller where a role is asked for', { roles: ['a'] }, { anonymous: true }, false],
  ['a caller with every scope', { scopes: ['x', 'y'] }, { scopes: ['y', 'z', 'x'] }, true],
  ['no caller without one of the scopes', { scopes: ['x', 'y'] }, { scopes: ['x'] }, false],
  ['no caller with scopes but no role', { scopes: ['x'], roles: ['a'] }, { scopes: ['x'] }, false],
  ['no caller with a role but no scope', { scopes: ['x'], roles: ['a'] }, { roles: ['a'] }, false],
  ['no caller whose role only begins alike', { roles: ['admin'] }, { roles: ['adm'] }, false],
  ['no caller whose scope is named as a role', { roles: ['a'] }, { scopes: ['a'] }, false],
]

for (const [title, access, caller, allowed] of CASES) {
  test(`access lets through ${title}`, () => {
    const tool = toolWith({ access: { scopes: [], roles: [], ...access } })
    const check = () => checkAccess(callerWith(caller), tool)
    if (allowed) check()
    else assert.throws(check, { code: 'forbidden', status: 403 })
  })
}
