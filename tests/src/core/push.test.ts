import { expect, it } from 'vitest'
import { destinationId, previewId, pushId } from '../../../src/core/push.js'

it('a preview of an audience has an id of its own, whatever its destinations are called', () => {
  const names = ['vip', 'preview', 'audience', 'vip_preview']
  const ids = names.flatMap((name) => [pushId(name), previewId(name), ...names.map((destination) => destinationId(name, destination))])
  expect(new Set(ids).size).toBe(ids.length)
  // Workflows that run now are found by these.
  expect([pushId('vip'), destinationId('vip', 'mail')]).toEqual(['audience/vip', 'audience/vip/mail'])
})
