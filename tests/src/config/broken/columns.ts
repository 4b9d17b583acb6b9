import { type Broken, head } from './broken.js'

/** Rules of the stream `events` of one sync, on line 9. */
const own = (rules: string) => `${head}syncs:\n  klaviyo:\n    from: klaviyo\n    streams:\n      events:\n        columns: { ${rules} }\n`
const above = (rules: string) => `${head}syncs:\n  klaviyo:\n    from: klaviyo\n    columns: { ${rules} }\n`

/** Column policies. */
export const columns: Broken[] = [
  {
    name: 'an action that there is not',
    files: own('email: encrypt'),
    lines: ['weir.yaml:9:27: syncs.klaviyo.streams.events.columns.email: expected drop, mask, hash or { hash: sha256 }, found "encrypt"'],
  },
  {
    name: 'another hash',
    files: own('email: { hash: md5 }'),
    lines: ['weir.yaml:9:35: syncs.klaviyo.streams.events.columns.email.hash: expected "sha256", found "md5"'],
  },
  {
    name: 'rules as a list',
    files: `${head}syncs:\n  klaviyo:\n    from: klaviyo\n    columns: [email]\n`,
    lines: ['weir.yaml:7:14: syncs.klaviyo.columns: expected fields as keys, such as "email: mask", found a list'],
  },
  {
    name: 'a typo in a field',
    files: own('emaill: drop'),
    lines: ['weir.yaml:9:20: syncs.klaviyo.streams.events.columns.emaill: stream "events" has no field "emaill"; did you mean "email"?'],
  },
  {
    name: 'a key that would go, and one that would be masked',
    files: own('id: drop'),
    lines: [
      'weir.yaml:9:20: syncs.klaviyo.streams.events.columns.id: "id" of stream "events" tells its rows apart: without it they would become one; it can be hashed',
    ],
  },
  {
    name: 'a masked key',
    files: own('id: mask'),
    lines: [
      'weir.yaml:9:20: syncs.klaviyo.streams.events.columns.id: "id" of stream "events" tells its rows apart: masked, they would become one; it can be hashed',
    ],
  },
  {
    name: 'a cursor that is touched',
    files: own('datetime: hash'),
    lines: [
      'weir.yaml:9:20: syncs.klaviyo.streams.events.columns.datetime: "datetime" of stream "events" tells which version of a row is the newest: it must stay as it is; take the rule out',
    ],
  },
  {
    name: 'a path into a text',
    files: own('"email.domain": drop'),
    lines: [
      'weir.yaml:9:20: syncs.klaviyo.streams.events.columns["email.domain"]: "email" of stream "events" is no object: nothing lies inside it; name "email" itself',
    ],
  },
  {
    name: 'a rule above the streams that reaches none',
    files: above('ssn: drop'),
    lines: [
      'weir.yaml:7:16: syncs.klaviyo.columns.ssn: no stream that this reaches has a field "ssn"; `weir discover CONNECTION --stream NAME` lists fields',
    ],
  },
  {
    name: 'a rule of all syncs that reaches no stream of any',
    files: `${head}defaults: { columns: { ssn: drop } }\nsyncs:\n  klaviyo: { from: klaviyo }\n`,
    lines: [
      'weir.yaml:4:24: defaults.columns.ssn: no stream that this reaches has a field "ssn"; `weir discover CONNECTION --stream NAME` lists fields',
    ],
  },
  {
    name: 'a rule above the streams that touches the key of one',
    files: `${head}syncs:\n  klaviyo:\n    from: klaviyo\n    columns: { id: drop }\n    streams: { events: {} }\n`,
    lines: [
      'weir.yaml:7:16: syncs.klaviyo.columns.id: "id" of stream "events" tells its rows apart: without it they would become one; it can be hashed',
    ],
  },
  {
    name: 'raw records that are neither kept nor not',
    files: `${head}syncs:\n  klaviyo: { from: klaviyo, raw: true }\n`,
    lines: ['weir.yaml:5:34: syncs.klaviyo.raw: expected keep or off, found true'],
  },
]
