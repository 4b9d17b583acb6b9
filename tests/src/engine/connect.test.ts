import { expect, it } from 'vitest'
import { connector as googleAds } from '../../../connectors/google-ads/source.js'
import { connector as searchConsole } from '../../../connectors/search-console/source.js'
import type { AudienceDefinition } from '../../../src/core/audience.js'
import { whereToConsent } from '../../../src/engine/connect.js'
import type { Connector } from '../../../src/extract/connector.js'
import { fakeAudience, fakeDestinationDefinition } from '../../support/audience.js'
import { fakeDefinition } from '../../support/fake-source.js'

const adwords = 'https://www.googleapis.com/auth/adwords'
const datamanager = 'https://www.googleapis.com/auth/datamanager'

const asked = ({ api, consent, type }: Connector, audiences: readonly AudienceDefinition[] = []) =>
  whereToConsent({
    api,
    consent: consent!,
    connection: { name: 'google', type, settings: { client_id: 'app', client_secret: 'secret' } },
    definitions: [fakeDefinition()],
    audiences,
  })
const audienceTo = (name: string) =>
  fakeAudience({
    destinations: { ads: fakeDestinationDefinition({ connection: { name, type: 'google_ads', settings: {} }, kind: 'user_list' }) },
  })

it('Google Ads is asked for audiences, too, where one goes out by the connection, and not where none does', () => {
  expect(asked(googleAds, [audienceTo('google')]).scopes).toEqual([adwords, datamanager])
  expect(asked(googleAds, [audienceTo('another')]).scopes).toEqual([adwords])
  expect(asked(googleAds).scopes).toEqual([adwords])
})

it('Search Console is consented to for reading, and only where nothing else proves who it is', () => {
  const { address, scopes, pkce, keeps } = asked(searchConsole)
  const { origin, searchParams } = new URL(address)
  expect([origin, pkce, keeps, scopes]).toEqual([
    'https://accounts.google.com',
    true,
    'refresh_token',
    ['https://www.googleapis.com/auth/webmasters.readonly'],
  ])
  expect(Object.fromEntries(searchParams)).toMatchObject({
    client_id: 'app',
    access_type: 'offline',
    response_type: 'code',
    scope: scopes[0],
  })
  const { consent, settings } = searchConsole
  const app = { client_id: 'app', client_secret: 'secret' }
  expect([settings.safeParse(app).success, settings.safeParse({ client_id: 'app' }).success]).toEqual([true, false])
  expect([app, { ...app, refresh_token: '1//x' }, { service_account: '{}' }].map((one) => consent!.isDue(one))).toEqual([
    true,
    false,
    false,
  ])
})
