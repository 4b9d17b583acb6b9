/** Which addresses a connection may call: https, or plain http to this machine; nothing private unless that is allowed by name. */
import { BlockList, isIP } from 'node:net'

/** Addresses that are not on the public internet, by family. IPv4 ones count in their IPv6 forms too. */
const privateNets = new BlockList()
for (const [net, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
] as const)
  privateNets.addSubnet(net, bits, 'ipv4')
for (const [net, bits] of [
  ['::', 96],
  ['64:ff9b::', 96],
  ['64:ff9b:1::', 48],
  ['100::', 64],
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['fc00::', 7],
  ['fe80::', 9],
  ['ff00::', 8],
] as const)
  privateNets.addSubnet(net, bits, 'ipv6')

const loopbackNets = new BlockList()
loopbackNets.addSubnet('127.0.0.0', 8, 'ipv4')
loopbackNets.addAddress('::1', 'ipv6')

const within = (list: BlockList, host: string): boolean => {
  const family = isIP(host)
  return family !== 0 && list.check(host, family === 6 ? 'ipv6' : 'ipv4')
}

/** The host of a parsed URL without brackets, case and the root's dot. */
const hostOf = (url: URL): string =>
  url.hostname
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '')
    .toLowerCase()

const isLoopback = (host: string): boolean => host === 'localhost' || host.endsWith('.localhost') || within(loopbackNets, host)
const isPrivate = (host: string): boolean =>
  within(privateNets, host) ||
  (isIP(host) === 0 && (!host.includes('.') || /\.(local|localdomain|internal|intranet|lan|home|corp|home\.arpa)$/.test(host)))

export type Address = { url: string; loopback: boolean } | { problem: string; hint?: string }

/**
 * Judges an address as it was written. The answer's `url` has no trailing slash.
 * Names are judged as names: what they resolve to is checked again by whoever connects.
 * @param allows `query`: a webhook's token may stand in it
 */
export function addressOf(text: string, allowPrivate: boolean, allows: { query?: true } = {}): Address {
  const [, scheme, authority] = /^([a-z][a-z\d+.-]*):\/\/([^/?#\\]*)/i.exec(text) ?? []
  if (scheme === undefined || authority === undefined || /[\s\\]/.test(text) || !URL.canParse(text)) {
    return { problem: 'not an address', hint: 'write it like https://a.example.com' }
  }
  const url = new URL(text)
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return { problem: 'an address that is not https' }
  if (authority.includes('@')) return { problem: 'an address with a user or password in it', hint: 'credentials have keys of their own' }
  if ((allows.query ? /#/ : /[?#]/).test(text)) return { problem: `an address with a ${allows.query ? '' : 'query or '}fragment` }
  const judged = judgeHost(url, authority, allowPrivate)
  if ('problem' in judged) return judged
  const { loopback } = judged
  if (url.protocol === 'http:' && !loopback)
    return { problem: 'a plain http address', hint: 'use https; http is for this machine only (localhost)' }
  return { url: `${url.origin}${url.pathname.replace(/\/+$/, '')}${url.search}`, loopback }
}

/** The same for a mail server: smtps, or smtp, which then must speak TLS before anything is said unless it is this machine. */
export function mailServerOf(text: string, allowPrivate: boolean): Address {
  const [, scheme, authority] = /^(smtps?):\/\/(?:[^/?#\\]*@)?([^/?#\\@]+)\/?$/i.exec(text) ?? []
  if (scheme === undefined || authority === undefined || /[\s\\]/.test(text) || !URL.canParse(text))
    return {
      problem: 'not the address of a mail server',
      hint: 'write it like smtps://user:password@smtp.example.com:465, or smtp://… with TLS by STARTTLS',
    }
  const judged = judgeHost(new URL(text), authority, allowPrivate)
  return 'problem' in judged ? judged : { url: text, loopback: judged.loopback }
}

function judgeHost(url: URL, authority: string, allowPrivate: boolean): { loopback: boolean } | { problem: string; hint?: string } {
  const host = hostOf(url)
  const written = authority
    .replace(/:\d*$/, '')
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '')
    .toLowerCase()
  if (host === '' || host.endsWith('.')) return { problem: 'an address without a proper host' }
  if (isIP(host) === 4 && written !== host) return { problem: 'an IP address in a disguised spelling', hint: `write ${host}` }
  const loopback = isLoopback(host)
  if (!loopback && isPrivate(host) && !allowPrivate) {
    return { problem: 'a private or link-local address', hint: 'if that is meant, set allow_private_hosts: true on the connection' }
  }
  return { loopback }
}
