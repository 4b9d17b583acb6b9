import nock from 'nock'
import { connector, streamsOf } from '../../../connectors/salesforce/source.js'
import type { Fields, Http } from '../../../src/core/types.js'
import { connect } from '../vendor.js'

/** Bodies as in Salesforce's REST, Bulk 2.0 and OAuth guides and the appendix of wire shapes, read 2026-11-23. */
export const login = 'https://login.salesforce.com'
export const org = 'https://acme.my.salesforce.com'
export const v = '/services/data/v68.0'
export const open = (more: Record<string, unknown> = {}) => connect(connector, { access_token: '00D!AQ', instance_url: org, ...more })
export const byBulk = streamsOf(0)
export const { streams } = connector.source
export const slice = { from: '2026-11-20T07:00:00.000Z', to: '2026-11-20T08:00:00.000Z' }
export const fields: Fields = { LastName: { type: 'text' }, Amount: { type: 'numeric' } }
export const contact = (id: string, more = {}) => ({
  attributes: { type: 'Contact', url: `${v}/sobjects/Contact/${id}` },
  Id: id,
  LastName: 'Ito',
  Amount: 3,
  IsDeleted: false,
  SystemModstamp: '2026-11-20T07:15:02.000+0000',
  ...more,
})
export const count = (totalSize: number) =>
  nock(org)
    .get(`${v}/queryAll`)
    .query(({ q }) => String(q).includes('COUNT()'))
    .reply(200, { totalSize, done: true, records: [] })
export const ask = ({ http }: { http: Http }) => http.request({ path: `${v}/limits` })
export const refused = (body: unknown, status: number, headers = {}) =>
  nock(org)
    .get(`${v}/limits`)
    .reply(status, body as nock.Body, headers)
