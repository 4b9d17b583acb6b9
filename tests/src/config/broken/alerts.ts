import { type Broken, head } from './broken.js'

/** A sync with these lines, the first of them on line 7. */
const klaviyo = (...lines: string[]) => `${head}syncs:\n  klaviyo:\n    from: klaviyo\n${lines.map((line) => `    ${line}\n`).join('')}`
/** One target, on line 8. */
const target = (entry: string) => klaviyo('alerts:', `  - ${entry}`)
const says = (column: number, path: string, text: string) => [`weir.yaml:8:${column}: syncs.klaviyo.alerts.0${path}: ${text}`]

const env = {
  KEY: 'pk_canary_1234567890',
  HOOK: 'https://hooks.example.com/5ecret',
  PLAIN: 'http://hooks.example.com/5ecret',
  INNER: 'https://10.0.0.7/5ecret?sig=5ecret',
  FRAGMENT: 'https://hooks.example.com/#5ecret',
  SMTP: 'smtps://weir:5ecret@smtp.example.com',
  RELAY: 'smtp://relay.internal:25',
}
const mail = (smtp: string, to = '[ops@example.com]') => target(`email: { to: ${to}, from: weir@example.com, smtp: ${smtp} }`)

/** Whom to tell, and how old a table may be. */
export const alerts: Broken[] = [
  {
    name: 'nobody to tell',
    files: target('{ on: [failed] }'),
    lines: says(9, '', 'nobody is named to be told; name "webhook", "slack" or "email"'),
  },
  {
    name: 'two targets in one entry',
    files: target('{ webhook: "${HOOK}", slack: "${HOOK}" }'),
    lines: says(9, '', '2 targets stand in one entry; give each an entry of its own'),
  },
  {
    name: 'an address in the file',
    files: target('webhook: https://hooks.example.com/5ecret'),
    lines: says(18, '.webhook', 'a secret stands in the file; put the address in the environment or .env, and write "${NAME}" here'),
  },
  {
    name: 'a plain address',
    files: target('webhook: ${PLAIN}'),
    lines: says(18, '.webhook', 'a plain http address; use https; http is for this machine only (localhost)'),
  },
  {
    name: 'a private address',
    files: target('slack: ${INNER}'),
    lines: says(16, '.slack', 'a private or link-local address; if that is meant, set allow_private_hosts: true beside it'),
  },
  {
    name: 'an address with a fragment',
    files: target('webhook: ${FRAGMENT}'),
    lines: says(18, '.webhook', 'an address with a fragment'),
  },
  {
    name: 'a variable that is not set',
    files: target('webhook: ${NOT_SET}'),
    lines: says(18, '.webhook', 'the variable NOT_SET is not set; set it in the environment or in .env beside weir.yaml'),
  },
  {
    name: 'a default of an address',
    files: target('webhook: ${HOOK:-https://hooks.example.com/5ecret}'),
    lines: says(18, '.webhook', 'a secret is one reference and nothing else, without a default; write "${NAME}" or "${file:path}"'),
  },
  {
    name: 'what is no mail server',
    files: mail('"${HOOK}"'),
    lines: says(
      71,
      '.email.smtp',
      'not the address of a mail server; write it like smtps://user:password@smtp.example.com:465, or smtp://… with TLS by STARTTLS',
    ),
  },
  {
    name: 'a mail server in a private network',
    files: mail('"${RELAY}"'),
    lines: says(71, '.email.smtp', 'a private or link-local address; if that is meant, set allow_private_hosts: true beside it'),
  },
  {
    name: 'mail to nobody',
    files: mail('"${SMTP}"', '[]'),
    lines: says(22, '.email.to', 'expected at least one address, found a list'),
  },
  {
    name: 'an unknown kind',
    files: target('{ webhook: "${HOOK}", on: [failed, slow] }'),
    lines: says(
      44,
      '.on.1',
      'expected one of failed, stale, schema_change, dead_letters, quality, quota_wait, approval, backfill, decision, held, rejections',
    ),
  },
  {
    name: 'a typo in a target',
    files: target('{ webhook: "${HOOK}", repeet: 1h }'),
    lines: says(31, '.repeet', 'unknown key "repeet"; did you mean "repeat"?'),
  },
  {
    name: 'no list of targets',
    files: klaviyo('alerts: { webhook: "${HOOK}" }'),
    lines: ['weir.yaml:7:13: syncs.klaviyo.alerts: expected a list of targets, such as "- webhook: "${ALERT_WEBHOOK}"", found a map'],
  },
  {
    name: 'a freshness of nothing',
    files: klaviyo('freshness: {}'),
    lines: ['weir.yaml:7:16: syncs.klaviyo.freshness: a freshness has "warn", "fail" or both'],
  },
  {
    name: 'a warning that comes after the failure',
    files: klaviyo('freshness: { warn: 4h, fail: 4h }'),
    lines: ['weir.yaml:7:24: syncs.klaviyo.freshness.warn: the warning would not come before the failure: "fail" must be longer'],
  },
  {
    name: 'a freshness that is a duration',
    files: klaviyo('streams:', '  events: { freshness: 1d }'),
    lines: ['weir.yaml:8:28: syncs.klaviyo.streams.events.freshness: expected { warn: 4h, fail: 12h }, or off, found "1d"'],
  },
].map((broken) => ({ ...broken, given: { env } }))
