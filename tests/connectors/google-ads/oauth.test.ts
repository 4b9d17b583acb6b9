import nock from 'nock'
import { describe, expect, it } from 'vitest'
import { settings } from '../../../connectors/google-ads/api.js'
import { tokenForm } from '../../../connectors/google-ads/oauth.js'
import { connector } from '../../../connectors/google-ads/source.js'
import { startSandbox } from '../../../sandbox/serve.js'
import { keyFile } from '../../../src/extract/credentials.js'
import { connect, onlyWhatIsWritten, recordsOf } from '../vendor.js'
import { key } from './wire.js'

onlyWhatIsWritten()

describe('how tokens are asked for', () => {
  it('Google’s library words the request and sends nothing', async () => {
    // Any request of its own would fail: nothing is written down.
    const form = await tokenForm({
      kind: 'user',
      clientId: key.client_id,
      clientSecret: key.client_secret,
      refreshToken: key.refresh_token,
    })
    expect(form).toEqual({ ...key, grant_type: 'refresh_token' })
  })

  it('a service account signs for itself, and the vendor takes it', async () => {
    nock.enableNetConnect('127.0.0.1')
    const sandbox = await startSandbox({ people: 60, limits: 'off' })
    try {
      const file = JSON.stringify(sandbox.google_ads.access.serviceAccount('https://oauth2.googleapis.com/token'))
      const given = { service_account: file, oauth_base_url: sandbox.url, login_customer_id: '5555555555' }
      const { http } = connect(connector, given, { baseUrl: sandbox.url, budget: 'off' })
      expect(await recordsOf(http, connector.source.streams.labels, { slice: { parent: '1111111111' } })).toHaveLength(3)
      expect(http.used.requests).toBe(2)
    } finally {
      nock.disableNetConnect()
      await sandbox.stop()
    }
  })

  it('a file that is no key, and a key that cannot sign, are told without quoting them', async () => {
    expect(() => keyFile('{"private_key":"s3cret"')).toThrow(/not the JSON key file/)
    const broken = keyFile(JSON.stringify({ client_email: 'weir@p.iam.gserviceaccount.com', private_key: 's3cret' }))
    const failed = await tokenForm({ kind: 'service account', ...broken }).catch((error: Error) => error)
    expect(failed).toMatchObject({ reason: 'config' })
    expect(String((failed as Error).stack)).not.toContain('s3cret')
  })

  it.each([
    [{ ...key }, true],
    [{ service_account: '{}' }, true],
    [{ client_id: 'x', refresh_token: 'y' }, false],
    [{ ...key, login_customer_id: '123-456-7890', customer_ids: ['1234567890'], accounts: { include: ['*'] } }, true],
    [{ ...key, login_customer_id: '12345' }, false],
    [{ ...key, accounts: { only: ['x'] } }, false],
  ])('%j is judged before anything is asked (%#)', (given, isRight) => {
    expect(settings.safeParse(given).success).toBe(isRight)
  })
})
