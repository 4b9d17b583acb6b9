import type { Broken } from './broken.js'

/** A Klaviyo connection with these lines, the first of them on line 5. */
const klaviyo = (...lines: string[]) =>
  `version: 1\nconnections:\n  klaviyo:\n    type: klaviyo\n${lines.map((line) => `    ${line}\n`).join('')}syncs:\n  klaviyo: { from: klaviyo }\n`
const at = (url: string, ...lines: string[]) => klaviyo('api_key: ${KEY}', `base_url: "${url}"`, ...lines)
const canary = 'pk_live_5ecret5ecret5ecret'

/** Vendors, their keys, secrets, addresses. */
export const connections: Broken[] = [
  {
    name: 'an unknown vendor',
    files: 'version: 1\nconnections:\n  crm: { type: hubspott, access_token: "${KEY}" }\nsyncs:\n  crm: { from: crm }\n',
    lines: ['weir.yaml:3:16: connections.crm.type: no connection type "hubspott"; did you mean "hubspot"?'],
  },
  {
    name: 'a vendor like no other',
    files: 'version: 1\nconnections:\n  crm: { type: salesforce }\nsyncs:\n  crm: { from: crm }\n',
    lines: ['weir.yaml:3:16: connections.crm.type: no connection type "salesforce"; types: klaviyo, hubspot, google_ads'],
  },
  {
    name: 'a vendor named as an inherited property',
    files: 'version: 1\nconnections:\n  crm: { type: toString }\nsyncs:\n  crm: { from: crm }\n',
    lines: ['weir.yaml:3:16: connections.crm.type: no connection type "toString"; types: klaviyo, hubspot, google_ads'],
  },
  {
    name: 'no type',
    files: 'version: 1\nconnections:\n  klaviyo:\n    api_key: ${KEY}\nsyncs:\n  klaviyo: { from: klaviyo }\n',
    lines: ['weir.yaml:4:5: connections.klaviyo: "type" is missing; types: klaviyo, hubspot, google_ads'],
  },
  {
    name: 'a type that is a number',
    files: 'version: 1\nconnections:\n  klaviyo: { type: 7 }\nsyncs:\n  klaviyo: { from: klaviyo }\n',
    lines: ['weir.yaml:3:20: connections.klaviyo.type: expected the type of a connection'],
  },
  {
    name: 'a connection that is a text',
    files: 'version: 1\nconnections:\n  klaviyo: yes\nsyncs:\n  klaviyo: { from: klaviyo }\n',
    lines: ['weir.yaml:3:12: connections.klaviyo: expected a map of keys; a connection has at least a type'],
  },
  {
    name: 'a connection that is nothing',
    files: 'version: 1\nconnections:\n  klaviyo:\nsyncs:\n  klaviyo: { from: klaviyo }\n',
    lines: ['weir.yaml:3:3: connections.klaviyo: expected a map of keys; a connection has at least a type'],
  },
  {
    name: 'connections as a list',
    files: 'version: 1\nconnections:\n  - type: klaviyo\nsyncs:\n  klaviyo: { from: klaviyo }\n',
    lines: ['weir.yaml:3:3: connections: expected connections by name, found a list'],
  },
  {
    name: 'a typo in a key',
    files: klaviyo('api_kee: ${KEY}'),
    lines: [
      'weir.yaml:4:5: connections.klaviyo: give api_key, or client_id, client_secret and refresh_token',
      'weir.yaml:5:5: connections.klaviyo.api_kee: unknown key "api_kee" of a klaviyo connection; did you mean "api_key"?',
    ],
  },
  {
    name: 'a key of another vendor',
    files: klaviyo('api_key: ${KEY}', 'access_token: ${KEY}'),
    lines: [
      'weir.yaml:6:5: connections.klaviyo.access_token: unknown key "access_token" of a klaviyo connection; allowed here: api_key, client_id, client_secret, refresh_token, type, base_url, api_version, budget, owner, allow_private_hosts',
    ],
  },
  {
    name: 'no credentials',
    files: klaviyo('owner: ana'),
    lines: ['weir.yaml:4:5: connections.klaviyo: give api_key, or client_id, client_secret and refresh_token'],
  },
  {
    name: 'a required key that is missing',
    files: 'version: 1\nconnections:\n  crm:\n    type: hubspot\nsyncs:\n  crm: { from: crm }\n',
    lines: ['weir.yaml:4:5: connections.crm: "access_token" is missing'],
  },
  {
    name: 'a literal secret',
    files: klaviyo(`api_key: ${canary}`),
    lines: [
      'weir.yaml:5:14: connections.klaviyo.api_key: a secret stands in the file; put it in the environment or .env, and write "${KLAVIYO_API_KEY}" here',
    ],
  },
  {
    name: 'a literal secret at an address on the internet',
    files: klaviyo(`api_key: ${canary}`, 'base_url: https://a.example.com'),
    lines: [
      'weir.yaml:5:14: connections.klaviyo.api_key: a secret stands in the file; put it in the environment or .env, and write "${KLAVIYO_API_KEY}" here',
    ],
  },
  {
    name: 'a literal secret beside a second host that is not here',
    files: `version: 1\nconnections:\n  crm:\n    type: hubspot\n    access_token: ${canary}\n    base_url: http://localhost:1\n    oauth_base_url: https://a.example.com\nsyncs:\n  crm: { from: crm }\n`,
    lines: [
      'weir.yaml:5:19: connections.crm.access_token: a secret stands in the file; put it in the environment or .env, and write "${CRM_ACCESS_TOKEN}" here',
    ],
  },
  {
    name: 'a literal secret that is a number',
    files: klaviyo('api_key: 123456789'),
    lines: [
      'weir.yaml:5:14: connections.klaviyo.api_key: a secret stands in the file; put it in the environment or .env, and write "${KLAVIYO_API_KEY}" here',
    ],
  },
  {
    name: 'a literal secret that is a list',
    files: klaviyo(`api_key: [${canary}]`),
    lines: [
      'weir.yaml:5:15: connections.klaviyo.api_key.0: a secret stands in the file; put it in the environment or .env, and write "${KLAVIYO_API_KEY}" here',
    ],
  },
  {
    name: 'a literal secret under a key with a typo',
    files: klaviyo(`api_kei: ${canary}`),
    lines: [
      'weir.yaml:4:5: connections.klaviyo: give api_key, or client_id, client_secret and refresh_token',
      'weir.yaml:5:5: connections.klaviyo.api_kei: unknown key "api_kei" of a klaviyo connection; did you mean "api_key"?',
    ],
  },
  {
    name: 'a literal secret in a key of another kind',
    files: klaviyo('api_key: ${KEY}', `allow_private_hosts: ${canary}`),
    lines: ['weir.yaml:6:26: connections.klaviyo.allow_private_hosts: expected true or false'],
  },
  {
    name: 'a literal secret with two colons',
    files: klaviyo(`api_key: ${canary}: ${canary}`),
    lines: ['weir.yaml:5:14: not valid YAML: a second ": " on one line; put the value in quotes'],
  },
  {
    name: 'a secret with a default',
    files: klaviyo('api_key: ${KEY:-pk_default}'),
    lines: [
      'weir.yaml:5:14: connections.klaviyo.api_key: a secret is one reference and nothing else, without a default; write "${NAME}" or "${file:path}"',
    ],
  },
  {
    name: 'a secret in the middle of a text',
    files: klaviyo('api_key: pk_${KEY}'),
    lines: [
      'weir.yaml:5:14: connections.klaviyo.api_key: a secret is one reference and nothing else, without a default; write "${NAME}" or "${file:path}"',
    ],
  },
  {
    name: 'a secret that is empty',
    files: klaviyo('api_key: ${EMPTY}'),
    lines: ['weir.yaml:5:14: connections.klaviyo.api_key: "${EMPTY}" is set, but empty'],
  },
  {
    name: 'a secret that is too short for the vendor',
    files: klaviyo('api_key: ${SHORT}'),
    given: { env: { SHORT: 'zq' } },
    lines: ['weir.yaml:5:14: connections.klaviyo.api_key: must be at least 3 characters, which the value of "${SHORT}" is not'],
  },
  {
    name: 'an address that is none',
    files: at('klaviyo'),
    lines: ['weir.yaml:6:15: connections.klaviyo.base_url: not an address; write it like https://a.example.com'],
  },
  {
    name: 'plain http',
    files: at('http://a.example.com'),
    lines: ['weir.yaml:6:15: connections.klaviyo.base_url: a plain http address; use https; http is for this machine only (localhost)'],
  },
  {
    name: 'another scheme',
    files: at('file:///etc/passwd'),
    lines: ['weir.yaml:6:15: connections.klaviyo.base_url: an address that is not https'],
  },
  {
    name: "a cloud's metadata",
    files: at('http://169.254.169.254'),
    lines: [
      'weir.yaml:6:15: connections.klaviyo.base_url: a private or link-local address; if that is meant, set allow_private_hosts: true on the connection',
    ],
  },
  {
    name: "a cloud's metadata by name",
    files: at('https://metadata.google.internal'),
    lines: [
      'weir.yaml:6:15: connections.klaviyo.base_url: a private or link-local address; if that is meant, set allow_private_hosts: true on the connection',
    ],
  },
  {
    name: 'a private network',
    files: at('https://10.1.2.3/'),
    lines: [
      'weir.yaml:6:15: connections.klaviyo.base_url: a private or link-local address; if that is meant, set allow_private_hosts: true on the connection',
    ],
  },
  {
    name: 'a private network that is allowed, but over http',
    files: at('http://10.1.2.3/', 'allow_private_hosts: true'),
    lines: ['weir.yaml:6:15: connections.klaviyo.base_url: a plain http address; use https; http is for this machine only (localhost)'],
  },
  {
    name: 'a hexadecimal address',
    files: at('http://0x7f.1'),
    lines: ['weir.yaml:6:15: connections.klaviyo.base_url: an IP address in a disguised spelling; write 127.0.0.1'],
  },
  {
    name: 'a decimal address',
    files: at('https://2852039166'),
    lines: ['weir.yaml:6:15: connections.klaviyo.base_url: an IP address in a disguised spelling; write 169.254.169.254'],
  },
  {
    name: 'an octal address',
    files: at('https://0251.0376.0251.0376'),
    lines: ['weir.yaml:6:15: connections.klaviyo.base_url: an IP address in a disguised spelling; write 169.254.169.254'],
  },
  {
    name: 'an address in full-width digits',
    files: at('https://１６９.254.169.254'),
    lines: ['weir.yaml:6:15: connections.klaviyo.base_url: an IP address in a disguised spelling; write 169.254.169.254'],
  },
  {
    name: 'the unspecified address',
    files: at('http://0.0.0.0:8080'),
    lines: [
      'weir.yaml:6:15: connections.klaviyo.base_url: a private or link-local address; if that is meant, set allow_private_hosts: true on the connection',
    ],
  },
  {
    name: 'IPv6, unique local',
    files: at('https://[fd00::1]'),
    lines: [
      'weir.yaml:6:15: connections.klaviyo.base_url: a private or link-local address; if that is meant, set allow_private_hosts: true on the connection',
    ],
  },
  {
    name: 'IPv6, link-local',
    files: at('https://[fe80::1]'),
    lines: [
      'weir.yaml:6:15: connections.klaviyo.base_url: a private or link-local address; if that is meant, set allow_private_hosts: true on the connection',
    ],
  },
  {
    name: 'IPv4 inside IPv6',
    files: at('https://[::ffff:169.254.169.254]'),
    lines: [
      'weir.yaml:6:15: connections.klaviyo.base_url: a private or link-local address; if that is meant, set allow_private_hosts: true on the connection',
    ],
  },
  {
    name: 'IPv4 translated to IPv6',
    files: at('https://[64:ff9b::a9fe:a9fe]'),
    lines: [
      'weir.yaml:6:15: connections.klaviyo.base_url: a private or link-local address; if that is meant, set allow_private_hosts: true on the connection',
    ],
  },
  {
    name: 'a name of this network',
    files: at('https://crm'),
    lines: [
      'weir.yaml:6:15: connections.klaviyo.base_url: a private or link-local address; if that is meant, set allow_private_hosts: true on the connection',
    ],
  },
  {
    name: 'a name of this network with a dot at its end',
    files: at('https://printer.local.'),
    lines: [
      'weir.yaml:6:15: connections.klaviyo.base_url: a private or link-local address; if that is meant, set allow_private_hosts: true on the connection',
    ],
  },
  {
    name: 'two dots at the end',
    files: at('https://localhost..'),
    lines: ['weir.yaml:6:15: connections.klaviyo.base_url: an address without a proper host'],
  },
  {
    name: 'a user in the address',
    files: at('https://a.klaviyo.com@evil.example'),
    lines: ['weir.yaml:6:15: connections.klaviyo.base_url: an address with a user or password in it; credentials have keys of their own'],
  },
  {
    name: 'a password in the address',
    files: at(`https://user:${canary}@a.example.com`),
    lines: ['weir.yaml:6:15: connections.klaviyo.base_url: an address with a user or password in it; credentials have keys of their own'],
  },
  {
    name: 'a backslash in the address',
    files: at('https://a.example.com\\\\@127.0.0.1'),
    lines: ['weir.yaml:6:15: connections.klaviyo.base_url: not an address; write it like https://a.example.com'],
  },
  {
    name: 'a query in the address',
    files: at('https://a.example.com/?x=1'),
    lines: ['weir.yaml:6:15: connections.klaviyo.base_url: an address with a query or fragment'],
  },
  {
    name: 'localhost as the beginning of a name',
    files: at('http://localhost.evil.example'),
    lines: ['weir.yaml:6:15: connections.klaviyo.base_url: a plain http address; use https; http is for this machine only (localhost)'],
  },
  {
    name: "a second host of a vendor's",
    files:
      'version: 1\nconnections:\n  crm:\n    type: hubspot\n    access_token: ${KEY}\n    oauth_base_url: http://192.168.1.1\nsyncs:\n  crm: { from: crm }\n',
    lines: [
      'weir.yaml:6:21: connections.crm.oauth_base_url: a private or link-local address; if that is meant, set allow_private_hosts: true on the connection',
    ],
  },
  {
    name: 'an address from the environment',
    files: at('${URL}'),
    given: { env: { KEY: 'pk_1', URL: `http://user:${canary}@10.0.0.1` } },
    lines: ['weir.yaml:6:15: connections.klaviyo.base_url: an address with a user or password in it; credentials have keys of their own'],
  },
  {
    name: 'budget off, elsewhere',
    files: klaviyo('api_key: ${KEY}', 'budget: off'),
    lines: [
      'weir.yaml:6:13: connections.klaviyo.budget: "off" is for a base_url on this machine only; leave it out: the connector knows the vendor\'s limits',
    ],
  },
  {
    name: 'a budget that is no rate',
    files: klaviyo('api_key: ${KEY}', 'budget: { requests: 10 per second }'),
    lines: ['weir.yaml:6:25: connections.klaviyo.budget.requests: expected a rate such as 100/10s, found "10 per second"'],
  },
  {
    name: 'a budget of nothing',
    files: klaviyo('api_key: ${KEY}', 'budget: { requests: 0/1s, per_day: 0 }'),
    lines: [
      'weir.yaml:6:25: connections.klaviyo.budget.requests: expected a rate such as 100/10s, found "0/1s"',
      'weir.yaml:6:40: connections.klaviyo.budget.per_day: must be at least 1, found 0',
    ],
  },
  {
    name: 'a budget of another kind',
    files: klaviyo('api_key: ${KEY}', 'budget: on'),
    lines: ['weir.yaml:6:13: connections.klaviyo.budget: expected "off" or a map of keys, found "on"'],
  },
  {
    name: 'a budget with more than all as a share',
    files: klaviyo('api_key: ${KEY}', 'budget: { backfill_share: 130% }'),
    lines: ['weir.yaml:6:31: connections.klaviyo.budget.backfill_share: expected a percentage from 0 to 100, such as 0.5, found "130%"'],
  },
  {
    name: 'an API version that is not known',
    files: klaviyo('api_key: ${KEY}', "api_version: '2026-07-16'"),
    lines: ['weir.yaml:6:18: connections.klaviyo.api_version: this version of the vendor\'s API is not known; did you mean "2026-07-15"?'],
  },
  {
    name: 'an API version that is a number',
    files: klaviyo('api_key: ${KEY}', 'api_version: 3'),
    lines: ['weir.yaml:6:18: connections.klaviyo.api_version: expected a version in quotes'],
  },
  {
    name: 'a name with capitals',
    files: 'version: 1\nconnections:\n  Klaviyo: { type: klaviyo, api_key: "${KEY}" }\nsyncs:\n  klaviyo: { from: Klaviyo }\n',
    lines: ['weir.yaml:3:3: connections.Klaviyo: a name is a lower-case letter, then letters, digits and "_", at most 48 in all'],
  },
  {
    name: 'a name that is an attack',
    files:
      'version: 1\nconnections:\n  "k\'; DROP SCHEMA public; --": { type: klaviyo, api_key: "${KEY}" }\nsyncs:\n  klaviyo: { from: klaviyo }\n',
    lines: [
      'weir.yaml:3:3: connections["k\'; DROP SCHEMA public; --"]: a name is a lower-case letter, then letters, digits and "_", at most 48 in all',
      'weir.yaml:5:20: syncs.klaviyo.from: no connection "klaviyo"; connections: "k\'; DROP SCHEMA public; --"',
    ],
  },
]
