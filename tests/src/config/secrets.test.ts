import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import * as z from 'zod'
import { isSecretReference, resolveSettings, secretKeys, secretValues, urlSecrets } from '../../../src/config/secrets.js'
import { Failure } from '../../../src/core/failure.js'
import { folderOf } from './project-of.js'

test('settings are resolved at use: a changed .env or file counts at once', () => {
  const dir = folderOf({ '.env': 'KEY=one\n', 'token.txt': 'first\r\n' })
  const sources = { env: {}, envFile: join(dir, '.env'), baseDir: dir }
  const settings = { key: '${KEY}', token: '${file:token.txt}', literal: 'a $${b}', nested: { ids: [1, '${KEY}'] }, flag: true }
  expect(resolveSettings(settings, sources)).toEqual({
    key: 'one',
    token: 'first',
    literal: 'a ${b}',
    nested: { ids: [1, 'one'] },
    flag: true,
  })
  writeFileSync(join(dir, '.env'), 'KEY=two\n')
  writeFileSync(join(dir, 'token.txt'), 'second')
  expect(resolveSettings(settings, sources)).toMatchObject({ key: 'two', token: 'second' })
  expect(resolveSettings(settings, { ...sources, env: { KEY: 'three' } })).toMatchObject({ key: 'three' })
})

test('a worker that lacks secrets says which, all at once, as a failure of configuration', () => {
  const resolve = () => resolveSettings({ a: '${ONE}', b: { c: '${TWO}' } }, { env: { ONE: undefined }, baseDir: '/nowhere' })
  expect(resolve).toThrow(Failure)
  expect(resolve).toThrow('a: the variable ONE is not set; b.c: the variable TWO is not set')
})

test('a value that looks like a reference is not resolved again', () => {
  expect(resolveSettings({ key: '${KEY}' }, { env: { KEY: '${OTHER}', OTHER: 'x' }, baseDir: '/' })).toEqual({ key: '${OTHER}' })
})

test('secrets are read from where containers keep them', () => {
  const dir = folderOf({ token: 'secret\n', 'project/weir.yaml': '' })
  const sources = { env: { WEIR_SECRETS_DIR: dir }, baseDir: join(dir, 'project') }
  expect(resolveSettings({ token: `\${file:${dir}/token}` }, sources)).toEqual({ token: 'secret' })
  expect(() => resolveSettings({ token: `\${file:${dir}/token}` }, { ...sources, env: {} })).toThrow('leads outside the project directory')
})

test('what must not be printed: values of references, and literals in places of secrets', () => {
  const sources = { env: { KEY: 'pk_canary' }, baseDir: '/' }
  const settings = { api_key: '${KEY}', refresh_token: 'literal', client_id: 'open', other: '${NOT_SET}' }
  expect(secretValues(settings, sources, ['api_key', 'refresh_token'])).toEqual(['pk_canary', 'literal'])
  expect(urlSecrets('postgres://weir:p%40ss@db/x?sslmode=require')).toEqual(['p%40ss', 'p@ss'])
  expect(urlSecrets('embedded')).toEqual([])
})

test('marks are found under optional and default', () => {
  const secret = z.string().meta({ secret: true })
  expect(secretKeys(z.object({ a: secret, b: secret.optional(), c: z.string(), d: z.string().optional().meta({ secret: true }) }))).toEqual(
    ['a', 'b', 'd'],
  )
})

test.each([
  ['${KEY}', true],
  ['${file:a/b}', true],
  ['${KEY:-x}', false],
  ['${KEY:-}', false],
  ['Bearer ${KEY}', false],
  ['${A}${B}', false],
  ['$${KEY}', false],
  ['KEY', false],
  ['', false],
])('%s is a reference of a secret: %s', (text, expected) => {
  expect(isSecretReference(text)).toBe(expected)
})
