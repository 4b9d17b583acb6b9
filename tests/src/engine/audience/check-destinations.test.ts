import { describe, expect, test } from 'vitest'
import { type Destination, missingTarget, type Wanted } from '../../../../src/core/audience.js'
import { Failure } from '../../../../src/core/failure.js'
import { checkDestinations } from '../../../../src/engine/audience/check-destinations.js'
import { fakeAudience, fakeDestination, fakeDestinationDefinition } from '../../../support/audience.js'
import { noHttp } from '../../../support/fake-source.js'

/** What is found of one destination, and what it was asked to open. */
async function found(destination: Partial<Destination>, wanted: Partial<Wanted> = {}) {
  const opened: Wanted[] = []
  const fake = fakeDestination({
    ...destination,
    open: async (http, asked) => {
      opened.push(asked)
      return destination.open ? destination.open(http, asked) : { id: '1', name: 'vip' }
    },
  })
  const definition = fakeAudience({ destinations: { there: fakeDestinationDefinition(wanted) } })
  const reach = async () => ({ destination: fake.destination, http: noHttp() })
  const redact = (text: string) => text.replaceAll('s3cret', '***')
  const [one] = await checkDestinations({ definition, reach, redact })
  return { findings: one!.findings, opened, calls: fake.calls }
}

describe('what destinations say before a push', () => {
  test('the target is there; it is looked for and never made, and nobody is sent', async () => {
    const { findings, opened, calls } = await found({}, { create: true })
    expect(findings).toEqual([{ name: 'list', ok: true, message: 'vip (1)' }])
    expect(opened.map(({ create }) => create)).toEqual([false])
    expect(calls).toEqual([])
  })

  test.each([
    [true, { name: 'list', ok: true, message: 'vip is not there yet: the first push makes it' }],
    [false, { name: 'list', ok: false, message: 'There is no list "vip".' }],
  ])('the target is missing, and create is %s', async (create, finding) => {
    const open = () => Promise.reject(missingTarget('There is no list "vip".'))
    expect((await found({ open }, { create })).findings).toEqual([finding])
  })

  test('a mapping that does not fit is said once, field by field', async () => {
    const check: Destination['check'] = async function* () {
      yield { name: 'mapping', ok: false, message: 'map.a: no such property' }
      yield { name: 'mapping', ok: false, message: 'map.b: read-only' }
    }
    const { findings, opened } = await found({ check })
    expect(findings.map(({ message }) => message)).toEqual(['map.a: no such property', 'map.b: read-only'])
    expect(opened).toEqual([])
  })

  test('a credential that may not, and what else the vendor refuses, without secrets', async () => {
    const open = () => Promise.reject(new Failure('permission', 'The key s3cret lacks lists:write.'))
    expect((await found({ open })).findings).toEqual([
      { name: 'destination', ok: false, message: 'The key *** lacks lists:write.', hint: expect.stringContaining('what a push needs') },
    ])
    const config = await found({ open: () => Promise.reject(new Failure('config', 'Two lists are named so.')) })
    expect(config.findings).toEqual([{ name: 'destination', ok: false, message: 'Two lists are named so.' }])
  })
})
