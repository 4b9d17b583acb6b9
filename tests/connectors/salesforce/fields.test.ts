import nock from 'nock'
import { describe, expect, it } from 'vitest'
import { columnsOf, decimal, fieldsOf, shaped } from '../../../connectors/salesforce/fields.js'
import { connector } from '../../../connectors/salesforce/source.js'
import { onlyWhatIsWritten } from '../vendor.js'
import { open, org, v } from './wire.js'

onlyWhatIsWritten()

describe('deletable', () => {
  const given = (deletable: unknown) => ({ object: 'Shipment__c', deletable })

  it.each([
    [false, undefined],
    // As a reference such as ${DELETABLE} gives it.
    ['false', undefined],
    [true, 'DeletedDate'],
    ['true', 'DeletedDate'],
    [undefined, 'DeletedDate'],
  ])('%j says whether an object has a bin', (deletable, deletedAt) => {
    expect(connector.custom!.safeParse(given(deletable)).error).toBeUndefined()
    expect(connector.source.custom!('shipments', given(deletable)).deletedAt).toBe(deletedAt)
  })

  it.each(['no', '', 0])('%j is refused in words', (deletable) => {
    expect(connector.custom!.safeParse(given(deletable)).error?.issues).toMatchObject([
      { path: ['deletable'], message: 'expected true or false' },
    ])
  })
})

describe('an object’s fields', () => {
  const field = (name: string, type: string, more = {}) => ({
    name,
    label: name,
    type,
    filterable: true,
    compoundFieldName: null,
    calculated: false,
    deprecatedAndHidden: false,
    ...more,
  })

  it('leave out compounds and files, keep Name, and note formulas', () => {
    const columns = columnsOf([
      field('Id', 'id'),
      field('Name', 'string'),
      field('FirstName', 'string', { compoundFieldName: 'Name' }),
      field('MailingAddress', 'address'),
      field('MailingCity', 'string', { compoundFieldName: 'MailingAddress' }),
      field('Place__c', 'location'),
      field('Place__Latitude__s', 'double', { compoundFieldName: 'Place__c' }),
      field('Body', 'base64'),
      field('Tier__c', 'string', { calculated: true }),
      field('Big__c', 'double', { precision: 18, scale: 0 }),
      field('Old__c', 'string', { deprecatedAndHidden: true }),
    ] as never)
    expect(Object.keys(columns)).toEqual(['Id', 'Name', 'FirstName', 'MailingCity', 'Place__Latitude__s', 'Tier__c', 'Big__c'])
    expect(columns.Tier__c?.description).toContain('formula')
    expect(columns.Big__c?.type).toBe('numeric')
  })

  it.each([
    [{ queryable: true, fields: [field('Id', 'id')] }, 'no such field'],
    [{ queryable: true, fields: [field('SystemModstamp', 'datetime', { filterable: false })] }, 'cannot be filtered'],
    [{ queryable: false, fields: [field('SystemModstamp', 'datetime')] }, 'leave it out'],
  ])('cannot be read by a cursor that is not there or not filterable', async (body, words) => {
    nock(org).get(`${v}/sobjects/LoginEvent/describe`).reply(200, body)
    await expect(fieldsOf('LoginEvent', 'SystemModstamp')(open().http)).rejects.toMatchObject({
      reason: 'config',
      message: expect.stringContaining(words),
    })
  })

  it.each([
    ['3.0', '3'],
    ['0.0', '0'],
    ['-0.0', '0'],
    ['950000000.0', '950000000'],
    ['1.25E3', '1250'],
    ['1.2E7', '12000000'],
    ['-1.5E-3', '-0.0015'],
    ['123456789012345678', '123456789012345678'],
    ['12345678901234567.125', '12345678901234567.125'],
    ['0.10', '0.1'],
    ['007', '7'],
    ['1e+21', '1000000000000000000000'],
    ['N/A', undefined],
    ['', undefined],
    ['1E999999', undefined],
  ])('a number is one text, however it is written: %s', (written, plain) => {
    expect(decimal(written)).toBe(plain)
  })

  it('words such as NA and null stay words', () => {
    const shape = shaped({ A: { type: 'text' }, B: { type: 'text' }, C: { type: 'text' } })
    expect(shape({ attributes: {}, A: 'NA', B: 'null', C: '' })).toEqual({ A: 'NA', B: 'null', C: null })
  })
})
