/** Certificates of a test's own CA, and a proxy that ends TLS before a server that speaks none. */
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { type AddressInfo, connect } from 'node:net'
import { join } from 'node:path'
import { pipeline } from 'node:stream'
import { createServer } from 'node:tls'

export interface Pair {
  cert: string
  key: string
}

const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'pipe' })

/** A CA that signs: files `<name>.crt` and `<name>.key` in `folder`. */
export function certificateAuthority(
  folder: string,
  name = 'ca',
): { cert: string; sign: (name: string, host: string, days?: number) => Pair } {
  const at = (file: string) => join(folder, file)
  const ca = { cert: at(`${name}.crt`), key: at(`${name}.key`) }
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  openssl('req', '-x509', ...curve, '-keyout', ca.key, '-out', ca.cert, '-days', '30', '-subj', `/CN=weir test ${name}`)
  return {
    cert: ca.cert,
    /** @param days may be negative: then it has expired */
    sign(name, host, days = 30) {
      const pair = { cert: at(`${name}.crt`), key: at(`${name}.key`) }
      const [request, extensions] = [at(`${name}.csr`), at(`${name}.ext`)]
      const san = /^[\d.]+$/.test(host) ? `IP:${host}` : `DNS:${host}`
      writeFileSync(extensions, `subjectAltName=${san}\nextendedKeyUsage=serverAuth,clientAuth\n`)
      openssl('req', '-new', ...curve, '-keyout', pair.key, '-out', request, '-subj', `/CN=${host}`)
      openssl(
        ...['x509', '-req', '-in', request, '-CA', ca.cert, '-CAkey', ca.key, '-CAcreateserial', '-out', pair.cert, '-extfile', extensions],
        ...['-days', String(days)],
      )
      return pair
    },
  }
}

/** Ends TLS before the server at `target`. With `clientCa` it wants certificates of that CA. */
export async function tlsProxy(target: string, own: Pair, clientCa?: string): Promise<{ port: number; stop: () => Promise<void> }> {
  const [host, port] = target.split(':')
  const server = createServer(
    {
      cert: readFileSync(own.cert),
      key: readFileSync(own.key),
      ALPNProtocols: ['h2'],
      ...(clientCa ? { ca: readFileSync(clientCa), requestCert: true, rejectUnauthorized: true } : {}),
    },
    (secure) => {
      const plain = connect(Number(port), host)
      open.add(plain).add(secure)
      pipeline(secure, plain, secure, () => {})
    },
  )
  const open = new Set<{ destroy: () => void }>()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    stop: () =>
      new Promise((resolve) => {
        for (const one of open) one.destroy()
        server.close(() => resolve())
      }),
  }
}
