import type { Connection } from '@temporalio/client'
import { describe, expect, it } from 'vitest'
import { registerSearchAttributes } from '../../cli/search-attributes.js'
import { searchAttributes } from '../../src/core/search-attributes.js'

const refused = (code: number) => Object.assign(new Error(`${code} refused`), { code, details: 'refused', metadata: {} })

/** A server as Temporal Cloud is one: what it does not serve it refuses. */
const server = (answers: { list: () => Promise<unknown>; add?: () => Promise<unknown> }) =>
  ({ operatorService: { listSearchAttributes: answers.list, addSearchAttributes: answers.add } }) as unknown as Connection

describe('search attributes where the server leaves them to its own tool', () => {
  it('are not asked for when they are there', async () => {
    const customAttributes = Object.fromEntries(Object.keys(searchAttributes).map((name) => [name, 1]))
    await registerSearchAttributes(server({ list: async () => ({ customAttributes }) }), 'acme.a1b2c')
  })

  it('are named with the command that makes them', async () => {
    const cloud = server({ list: async () => ({ customAttributes: { WeirSync: 2 } }), add: () => Promise.reject(refused(7)) })
    await expect(registerSearchAttributes(cloud, 'acme.a1b2c')).rejects.toThrow(
      /tcloud namespace search-attributes add --namespace acme.a1b2c (?!.*WeirSync).*--search-attribute "WeirRows=Int"/,
    )
  })

  it('are taken to be there when one may not even look', async () => {
    await registerSearchAttributes(server({ list: () => Promise.reject(refused(12)) }), 'acme.a1b2c')
    await expect(registerSearchAttributes(server({ list: () => Promise.reject(refused(14)) }), 'acme.a1b2c')).rejects.toThrow('14')
  })
})
