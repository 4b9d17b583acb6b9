import { expect, test } from 'vitest'
import { fits } from '../../../src/config/files.js'
import { addressOf } from '../../../src/config/hosts.js'
import { duration, instant, isTimezone, percent, rate, relativeDays } from '../../../src/config/units.js'

test.each([
  ['15m', 900_000],
  ['1h30m', 5_400_000],
  ['7d', 604_800_000],
  ['250ms', 250],
  ['0s', 0],
  ['15', undefined],
  ['1.5h', undefined],
  ['m15', undefined],
  ['', undefined],
])('duration %s', (text, ms) => {
  expect(duration(text)).toBe(ms)
})

test('rates, shares and days back', () => {
  expect(rate('100/10s')).toEqual({ count: 100, perMs: 10_000 })
  expect(rate('10/s')).toEqual({ count: 10, perMs: 1000 })
  expect(rate('0/s')).toBeUndefined()
  expect(rate('10/0s')).toBeUndefined()
  expect([percent('30%'), percent(0.5), percent('100'), percent(101), percent(-1), percent('')]).toEqual([
    30,
    0.5,
    100,
    undefined,
    undefined,
    undefined,
  ])
  expect([relativeDays('-90d'), relativeDays('-2w'), relativeDays('-0d'), relativeDays('90d')]).toEqual([
    '-90d',
    '-14d',
    undefined,
    undefined,
  ])
})

test.each([
  ['2024-01-01', 'UTC', '2024-01-01T00:00:00.000Z'],
  ['2024-07-01', 'Europe/Berlin', '2024-06-30T22:00:00.000Z'],
  ['2024-01-01', 'Asia/Kolkata', '2023-12-31T18:30:00.000Z'],
  ['2024-03-31', 'Europe/Berlin', '2024-03-30T23:00:00.000Z'],
  ['2024-03-31T03:00', 'Europe/Berlin', '2024-03-31T01:00:00.000Z'],
  ['2024-10-27T12:00:00', 'Europe/Berlin', '2024-10-27T11:00:00.000Z'],
  ['2024-01-01T00:00:00Z', 'Europe/Berlin', '2024-01-01T00:00:00.000Z'],
  ['2024-01-01T00:00:00-05:30', 'UTC', '2024-01-01T05:30:00.000Z'],
  ['2023-02-29', 'UTC', undefined],
  ['2024-13-01', 'UTC', undefined],
  ['2024-01-01T24:00', 'UTC', undefined],
  ['2024-1-1', 'UTC', undefined],
  ['yesterday', 'UTC', undefined],
])('%s in %s', (text, zone, expected) => {
  expect(instant(text, zone)).toBe(expected)
})

test('time zones', () => {
  expect(['UTC', 'Europe/Berlin', 'America/Argentina/Buenos_Aires'].every(isTimezone)).toBe(true)
  expect(['Europe/Berln', '../../etc', '+02:00', ''].some(isTimezone)).toBe(false)
})

test.each([
  'https://a.klaviyo.com',
  'https://api.hubapi.com:8443/x',
  'https://8.8.8.8',
  'https://[2606:4700::1111]',
  'https://münchen.example',
])('%s may be called', (url) => {
  expect(addressOf(url, false)).toMatchObject({ loopback: false })
})

test.each([
  'http://localhost:1',
  'http://sandbox.localhost',
  'http://127.0.0.1:18790',
  'http://127.1.2.3',
  'http://[::1]:1',
  'http://[::ffff:127.0.0.1]',
  'https://localhost',
])('%s is this machine', (url) => {
  expect(addressOf(url, false)).toMatchObject({ loopback: true })
})

test('wildcards', () => {
  expect(['a.yaml', '.yaml', 'ab.yaml'].map((name) => fits(name, '*.yaml'))).toEqual([true, true, true])
  expect([fits('a1', 'a?'), fits('a', 'a?'), fits('abcabc', 'a*c'), fits('abcab', 'a*c'), fits('a*', 'a*')]).toEqual([
    true,
    false,
    true,
    false,
    true,
  ])
})
