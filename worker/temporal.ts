/** Where Temporal is and how it is reached: the names are those of Temporal's own tools (docs: "Environment configuration"). */
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { loadClientConnectConfig } from '@temporalio/envconfig'
import { Failure } from '../src/core/failure.js'

type Env = Readonly<Record<string, string | undefined>>

/** Options that a client's `Connection` and a worker's `NativeConnection` take alike. */
export interface TemporalConnection {
  address: string
  tls?: true | { serverNameOverride?: string; serverRootCACertificate?: Buffer; clientCertPair?: { crt: Buffer; key: Buffer } }
  apiKey?: string
  metadata?: Record<string, string>
}

export interface TemporalSettings {
  connection: TemporalConnection
  namespace: string | undefined
  /** What must not be printed. */
  secrets: readonly string[]
}

/**
 * Settings out of TEMPORAL_ADDRESS, _NAMESPACE, _API_KEY, _TLS and TEMPORAL_TLS_*; also out of the file of profiles that Temporal's tools
 * share, where TEMPORAL_PROFILE or TEMPORAL_CONFIG_FILE asks for it: a file that nobody named must not lead a command to production.
 * @param fallback address and namespace where the environment has none
 * @throws Failure `config` for what cannot work, before anything is connected: it names the variable
 */
export function temporalSettings(given: Env, fallback: { address?: string; namespace?: string } = {}): TemporalSettings {
  // Compose files pass what is not set as an empty text.
  const env = Object.fromEntries(Object.entries(given).filter((entry): entry is [string, string] => Boolean(entry[1])))
  refuseWhatIsNotServed(env)
  checkCertificates(env)
  const { connectionOptions, namespace } = load(env)
  const { apiKey, tls, metadata, address = fallback.address } = connectionOptions
  if (!address)
    throw new Failure('config', 'TEMPORAL_ADDRESS is not set: the host and port of Temporal, such as temporal.example.com:7233.')
  if (apiKey !== undefined && !tls)
    throw new Failure('config', 'TEMPORAL_API_KEY would be sent in plain text: take away TEMPORAL_TLS=false, since a key needs TLS.')
  return {
    connection: {
      address,
      ...(tls ? { tls: tls as NonNullable<TemporalConnection['tls']> } : {}),
      ...(apiKey === undefined ? {} : { apiKey }),
      ...(metadata === undefined ? {} : { metadata: metadata as Record<string, string> }),
    },
    namespace: namespace ?? fallback.namespace,
    secrets: [apiKey, env.TEMPORAL_TLS_CLIENT_KEY_DATA, ...Object.values(metadata ?? {}).map(String)].filter(
      (secret) => secret !== undefined,
    ),
  }
}

function load(env: Record<string, string>) {
  try {
    const asksForFile = env.TEMPORAL_PROFILE !== undefined || env.TEMPORAL_CONFIG_FILE !== undefined
    return loadClientConnectConfig({ overrideEnvVars: env, disableFile: !asksForFile })
  } catch (error) {
    throw new Failure('config', `Temporal's configuration cannot be read: ${messageOf(error)}`, {}, { cause: error })
  }
}

/** Connects by `connect`. @throws Failure that says what stood in the way: `auth`, `config`, or `transient` where Temporal does not answer */
export async function reach<T>(at: TemporalConnection, connect: () => Promise<T>): Promise<T> {
  try {
    return await connect()
  } catch (error) {
    const { address, tls, apiKey } = at
    const said = chainOf(error).join(': ')
    const fail = (reason: 'auth' | 'config' | 'transient', what: string) => new Failure(reason, `${what} [${said}]`, {}, { cause: error })
    if (/unauthenticated|unauthorized|permission.?denied/i.test(said))
      throw fail(
        'auth',
        apiKey === undefined
          ? `Temporal at ${address} refused us: it wants an API key (TEMPORAL_API_KEY) or a client certificate (TEMPORAL_TLS_CLIENT_CERT_PATH, _KEY_PATH).`
          : `Temporal at ${address} refused TEMPORAL_API_KEY: it is wrong, expired, or not for this namespace.`,
      )
    const problem = tls ? await certificateProblem(at) : undefined
    if (problem) throw fail('config', `Temporal at ${address}: ${problem}`)
    const hint = tls
      ? 'Is it running, and does it speak TLS?'
      : 'Is it running? If it speaks TLS, as Temporal Cloud does, set TEMPORAL_TLS=true or TEMPORAL_API_KEY.'
    throw fail('transient', `Temporal does not answer at ${address}. ${hint}`)
  }
}

/** Clients keep to themselves why a handshake failed (or say it in a library's own words), so it is made once more to be told. */
async function certificateProblem({ address, tls }: TemporalConnection): Promise<string | undefined> {
  const code = await handshake(address, tls === true || tls === undefined ? {} : tls)
  if (code === undefined) return undefined
  if (code === 'CERT_HAS_EXPIRED') return "the server's certificate has expired."
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return "the server's certificate is for another name. Set TEMPORAL_TLS_SERVER_NAME to the name that it is for."
  if (/SELF_SIGNED|UNABLE_TO/.test(code))
    return "the server's certificate is signed by nobody whom this machine trusts. Set TEMPORAL_TLS_SERVER_CA_CERT_PATH to the CA's certificate."
  if (/ALERT|ECONNRESET/.test(code))
    return 'it ended the handshake, as one does that takes only clients with a certificate that it knows. Set TEMPORAL_TLS_CLIENT_CERT_PATH and TEMPORAL_TLS_CLIENT_KEY_PATH.'
  return undefined
}

/** What a client certificate is refused for comes after the handshake, so an open connection is watched for a moment. */
const refusalMs = 1_000

/** The code of what goes wrong with a handshake; undefined where nothing does, or nobody answers. */
function handshake(address: string, tls: Exclude<TemporalConnection['tls'], true | undefined>): Promise<string | undefined> {
  const { hostname, port } = new URL(`https://${address}`)
  const servername = tls.serverNameOverride ?? (isIP(hostname) ? undefined : hostname)
  const { serverRootCACertificate: ca, clientCertPair: pair } = tls
  return new Promise((resolve) => {
    const socket = connectTls({
      host: hostname,
      port: Number(port || 443),
      ALPNProtocols: ['h2'],
      ...(servername ? { servername } : {}),
      ...(ca ? { ca: Buffer.from(ca) } : {}),
      ...(pair ? { cert: Buffer.from(pair.crt), key: Buffer.from(pair.key) } : {}),
    })
    const end = (code?: string) => {
      resolve(code)
      socket.destroy()
    }
    socket.setTimeout(10_000, () => end())
    socket.once('error', (error: NodeJS.ErrnoException) => end(error.code ?? error.message))
    socket.once('end', () => end('ECONNRESET'))
    socket.once('secureConnect', () => setTimeout(end, refusalMs))
  })
}

function refuseWhatIsNotServed(env: Record<string, string>): void {
  if (env.TEMPORAL_TLS_DISABLE_HOST_VERIFICATION !== undefined)
    throw new Failure(
      'config',
      'TEMPORAL_TLS_DISABLE_HOST_VERIFICATION is not served: give the CA by TEMPORAL_TLS_SERVER_CA_CERT_PATH, and TEMPORAL_TLS_SERVER_NAME where the name differs.',
    )
  const of = ['TEMPORAL_TLS_CLIENT_CERT', 'TEMPORAL_TLS_CLIENT_KEY']
  const [cert, key] = of.map((name) => env[`${name}_PATH`] ?? env[`${name}_DATA`])
  if ((cert === undefined) !== (key === undefined)) {
    const [has, lacks] = cert === undefined ? [of[1], of[0]] : of
    throw new Failure('config', `${has}_… is set and ${lacks}_… is not: a client certificate needs both.`)
  }
  for (const name of ['TEMPORAL_TLS', 'TEMPORAL_TLS_DISABLE_HOST_VERIFICATION'])
    if (env[name] !== undefined && !['true', 'false', '1', '0'].includes(env[name]))
      throw new Failure('config', `${name} is "${env[name]}"; it may be true or false.`)
}

interface Pem {
  /** The variable that gave it. */
  from: string
  text: string
}

function pemOf(env: Record<string, string>, name: string): Pem | undefined {
  const data = env[`${name}_DATA`]
  const path = env[`${name}_PATH`]
  if (data !== undefined && path !== undefined) throw new Failure('config', `${name}_PATH and ${name}_DATA are both set: give one.`)
  if (data !== undefined) return { from: `${name}_DATA`, text: data }
  if (path === undefined) return undefined
  // The path is not shown: people paste the key itself.
  if (path.includes('-----BEGIN')) throw new Failure('config', `${name}_PATH holds the text itself: that is for ${name}_DATA.`)
  try {
    return { from: `${name}_PATH (${path})`, text: readFileSync(path, 'utf8') }
  } catch (error) {
    throw new Failure('config', `${name}_PATH: ${path} cannot be read: ${messageOf(error)}`, {}, { cause: error })
  }
}

/** What OpenSSL and rustls would say much later and in fewer words. */
function checkCertificates(env: Record<string, string>): void {
  const ca = pemOf(env, 'TEMPORAL_TLS_SERVER_CA_CERT')
  if (ca) certificateOf(ca)
  const cert = pemOf(env, 'TEMPORAL_TLS_CLIENT_CERT')
  const key = pemOf(env, 'TEMPORAL_TLS_CLIENT_KEY')
  if (!cert || !key) return
  const certificate = certificateOf(cert)
  let isPair: boolean
  try {
    isPair = certificate.checkPrivateKey(createPrivateKey(key.text))
  } catch (error) {
    throw new Failure('config', `${key.from} is no private key in PEM without a passphrase.`, {}, { cause: error })
  }
  if (!isPair) throw new Failure('config', `${key.from} is not the key of the certificate in ${cert.from}.`)
}

function certificateOf({ from, text }: Pem): X509Certificate {
  let certificate: X509Certificate
  try {
    certificate = new X509Certificate(text)
  } catch (error) {
    throw new Failure('config', `${from} is no certificate in PEM.`, {}, { cause: error })
  }
  const now = Date.now()
  if (Date.parse(certificate.validTo) < now) throw new Failure('config', `The certificate of ${from} expired on ${certificate.validTo}.`)
  if (Date.parse(certificate.validFrom) > now)
    throw new Failure('config', `The certificate of ${from} is not valid before ${certificate.validFrom}: is this machine's clock right?`)
  return certificate
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error))

function chainOf(error: unknown): string[] {
  if (!(error instanceof Error)) return [String(error)]
  return [...new Set([error.message, ...(error.cause === undefined ? [] : chainOf(error.cause))])]
}
