/** What Weir's workflows can be searched by in Temporal; a server must know each before a workflow may carry it. */
export const searchAttributes = {
  WeirSync: 'KEYWORD',
  WeirStream: 'KEYWORD',
  WeirVendor: 'KEYWORD',
  WeirKind: 'KEYWORD',
  WeirStatus: 'KEYWORD',
  WeirRows: 'INT',
} as const
