import nock from 'nock'
import { describe, expect, it } from 'vitest'
import { registry } from '../../connectors/registry.js'
import { asFailure } from '../../src/core/failure.js'
import { lineOf } from '../../src/http/classify.js'
import type { Refusals } from './refusals.js'
import { connect, onlyWhatIsWritten } from './vendor.js'

onlyWhatIsWritten()

describe.each(Object.keys(registry))('%s', async (type) => {
  const connector = await registry[type]!()
  const { api } = connector
  const { settings, origin = api.origin, refusals } = (await import(`./${type.replaceAll('_', '-')}/refusals.ts`)) as Refusals
  const auth = api.auth(settings)
  let tokens = 0
  const grants = () => {
    if (auth.kind !== 'oauth') return
    const { origin: home, pathname } = new URL(auth.tokenUrl, api.origin)
    nock(home)
      .persist()
      .post(pathname)
      .reply(200, () => ({ access_token: `token ${++tokens}`, expires_in: 3600 }))
  }

  it.each(refusals.map((one) => [api.errorCode(one[1]) ?? 'no code', ...one] as const))(
    '%s (%i) is told as what it is, and says who must act',
    async (_, status, body, reason, says = '') => {
      grants()
      nock(origin)
        .persist()
        .get('/refused')
        .query(true)
        .reply(status, body as nock.Body)
      const { http } = connect(connector, settings)
      const failure = await http.request({ path: '/refused' }).then(() => expect.fail('it was answered'), asFailure)
      expect(failure).toMatchObject({ reason, where: { status } })
      expect(failure.message).toContain(says)
      expect(failure.message).toContain(lineOf(api, { status, body })?.hint ?? '')
      // What a person, and nobody else, can mend is worth a word.
      if (['auth', 'permission', 'config'].includes(reason)) expect(lineOf(api, { status, body })?.hint).toBeTruthy()
    },
  )

  it('has a body of the vendor’s for each line of its table, and no line that an earlier one hides', () => {
    const met = new Set(refusals.map(([status, body]) => lineOf(api, { status, body })))
    expect(api.failures.filter((line) => !met.has(line))).toEqual([])
  })
})
