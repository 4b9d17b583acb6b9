/** What the CRM keeps. Every value is text, as the API gives it; rows are replaced, never edited. */
export interface ObjectRow {
  /** Digits of no fixed length: compare as numbers. */
  id: string
  properties: Readonly<Record<string, string | null>>
  createdMs: number
  updatedMs: number
  archivedMs: number | null
}

export interface OwnerRow {
  id: string
  email: string
  firstName: string
  lastName: string
  userId: number
  createdMs: number
  updatedMs: number
  archived: boolean
}

export interface ListRow {
  id: string
  name: string
  objectTypeId: string
  processingType: 'MANUAL' | 'DYNAMIC' | 'SNAPSHOT'
  createdMs: number
  updatedMs: number
}

export interface MembershipRow {
  /** The record's id. */
  id: string
  joinedMs: number
}

export interface PropertyRow {
  name: string
  label: string
  type: 'string' | 'number' | 'bool' | 'enumeration' | 'date' | 'datetime' | 'json' | 'phone_number'
  fieldType: string
  groupName: string
  options: readonly { label: string; value: string }[]
  calculated: boolean
  unique: boolean
  readOnly: boolean
  hubspotDefined: boolean
  archived: boolean
  createdMs: number
}

export const iso = (ms: number): string => new Date(ms).toISOString()
