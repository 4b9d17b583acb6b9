import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Connection } from '@temporalio/client'
import { NativeConnection } from '@temporalio/worker'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { reach, temporalSettings } from '../../worker/temporal.js'
import { certificateAuthority, type Pair, tlsProxy } from '../support/tls.js'
import { smallProject, startWorker } from '../support/worker.js'

const folder = mkdtempSync(join(tmpdir(), 'weir-tls-'))
const ca = certificateAuthority(folder)
const stranger = certificateAuthority(folder, 'stranger')
const server = ca.sign('server', '127.0.0.1')
const client = ca.sign('client', 'worker.example')
afterAll(() => rmSync(folder, { recursive: true }))

const kinds = {
  command: async (env: Record<string, string>) => {
    const { connection: at } = temporalSettings(env)
    const connection = await reach(at, () => Connection.connect({ ...at, connectTimeout: '3s' }))
    await connection.workflowService.getSystemInfo({}).finally(() => connection.close())
  },
  worker: async (env: Record<string, string>) => {
    const { connection: at } = temporalSettings(env)
    const connection = await reach(at, () => NativeConnection.connect(at))
    await connection.workflowService.getSystemInfo({}).finally(() => connection.close())
  },
}

const certificate = ({ cert, key }: Pair) => ({ TEMPORAL_TLS_CLIENT_CERT_PATH: cert, TEMPORAL_TLS_CLIENT_KEY_PATH: key })
const trusted = { TEMPORAL_TLS_SERVER_CA_CERT_PATH: ca.cert }

describe.each(Object.entries(kinds))('a %s at a Temporal that speaks TLS', (_, connect) => {
  const proxies: { stop: () => Promise<void> }[] = []
  const at = async (own: Pair, clientCa?: string) => {
    const proxy = await tlsProxy(inject('temporalAddress'), own, clientCa)
    proxies.push(proxy)
    return `127.0.0.1:${proxy.port}`
  }
  let open: string
  let mutual: string
  beforeAll(async () => {
    open = await at(server)
    mutual = await at(server, ca.cert)
  })
  afterAll(async () => {
    await Promise.all(proxies.map((proxy) => proxy.stop()))
  })

  it('connects with the CA, as a path or as text, and with an API key', async () => {
    await connect({ TEMPORAL_ADDRESS: open, ...trusted })
    const data = readFileSync(ca.cert, 'utf8')
    await connect({ TEMPORAL_ADDRESS: open, TEMPORAL_TLS_SERVER_CA_CERT_DATA: data, TEMPORAL_API_KEY: 'key-of-a-test' })
  })

  it('connects with a client certificate, and by the name that the server certificate is for', async () => {
    await connect({ TEMPORAL_ADDRESS: mutual, ...trusted, ...certificate(client) })
    const named = await at(ca.sign('named', 'temporal.example'))
    await connect({ TEMPORAL_ADDRESS: named, ...trusted, TEMPORAL_TLS_SERVER_NAME: 'temporal.example' })
    await expect(connect({ TEMPORAL_ADDRESS: named, ...trusted })).rejects.toThrow(/for another name. Set TEMPORAL_TLS_SERVER_NAME/)
  })

  it('says what is wrong with a server that it cannot trust', async () => {
    await expect(connect({ TEMPORAL_ADDRESS: open, TEMPORAL_TLS: 'true' })).rejects.toThrow(/Set TEMPORAL_TLS_SERVER_CA_CERT_PATH/)
    const expired = await at(ca.sign('expired-server', '127.0.0.1', -1))
    await expect(connect({ TEMPORAL_ADDRESS: expired, ...trusted })).rejects.toThrow(/the server's certificate has expired/)
  })

  it('says what a server wants that did not get it', async () => {
    await expect(connect({ TEMPORAL_ADDRESS: open })).rejects.toThrow(/If it speaks TLS, .* set TEMPORAL_TLS=true/)
    await expect(connect({ TEMPORAL_ADDRESS: mutual, ...trusted })).rejects.toThrow(/TEMPORAL_TLS_CLIENT_CERT_PATH/)
    const wrong = stranger.sign('wrong-client', 'worker.example')
    await expect(connect({ TEMPORAL_ADDRESS: mutual, ...trusted, ...certificate(wrong) })).rejects.toThrow(/TEMPORAL_TLS_CLIENT_CERT_PATH/)
  })
})

it('a worker and a command meet by mutual TLS and an API key, which no log shows', { timeout: 120_000 }, async () => {
  const proxy = await tlsProxy(inject('temporalAddress'), server, ca.cert)
  const small = await smallProject(
    (url, apiKey) => `
version: 1
connections: { klaviyo: { type: klaviyo, base_url: "${url}", api_key: "${apiKey}", budget: "off" } }
syncs: { by_tls: { from: klaviyo, streams: { lists: {} } } }
`,
  )
  const key = 'temporal-api-key-of-a-test'
  const env = { TEMPORAL_ADDRESS: `127.0.0.1:${proxy.port}`, TEMPORAL_API_KEY: key, ...trusted, ...certificate(client) }
  const worker = await startWorker({ ...small.env, ...env, WEIR_LOG_LEVEL: 'debug' })
  try {
    const { code, stdout, stderr } = await small.weir(['sync', 'by_tls'], env)
    expect(code, stderr).toBe(0)
    expect(`${stdout}${stderr}${worker.lines.join()}`).not.toContain(key)
    expect(await worker.stop()).toBe(0)
  } finally {
    await worker.stop()
    await proxy.stop()
    await small.remove()
  }
})

describe('settings of a connection to Temporal', () => {
  const address = { TEMPORAL_ADDRESS: 'temporal.example:7233' }

  it('need an address, and take empty variables for none', () => {
    expect(() => temporalSettings({ TEMPORAL_ADDRESS: '', TEMPORAL_API_KEY: '' })).toThrow(/TEMPORAL_ADDRESS is not set/)
    const { connection, namespace } = temporalSettings({ ...address, TEMPORAL_API_KEY: '', TEMPORAL_NAMESPACE: '' })
    expect(connection).toEqual({ address: 'temporal.example:7233' })
    expect(namespace).toBeUndefined()
  })

  it('use TLS with an API key, name it as a secret, and never send it in plain text', () => {
    const { connection, secrets } = temporalSettings({ ...address, TEMPORAL_API_KEY: 'key-of-a-test' })
    expect(connection).toMatchObject({ apiKey: 'key-of-a-test', tls: true })
    expect(secrets).toEqual(['key-of-a-test'])
    expect(() => temporalSettings({ ...address, TEMPORAL_API_KEY: 'key-of-a-test', TEMPORAL_TLS: 'false' })).toThrow(/plain text/)
  })

  it('read a profile only where it is asked for', () => {
    const file = join(folder, 'temporal.toml')
    writeFileSync(file, '[profile.prod]\naddress = "cloud.example:7233"\nnamespace = "acme.a1b2c"\napi_key = "key-of-a-file"\n')
    const asked = temporalSettings({ TEMPORAL_CONFIG_FILE: file, TEMPORAL_PROFILE: 'prod' })
    expect(asked).toMatchObject({ connection: { address: 'cloud.example:7233' }, namespace: 'acme.a1b2c', secrets: ['key-of-a-file'] })
    expect(() => temporalSettings({ TEMPORAL_CONFIG_FILE: file, TEMPORAL_PROFILE: 'test' })).toThrow(/Profile 'test' not found/)
    expect(() => temporalSettings({ HOME: folder })).toThrow(/TEMPORAL_ADDRESS is not set/)
  })

  it('name the file that is wrong, and never what it holds', () => {
    const given = (env: Record<string, string>) => () => temporalSettings({ ...address, ...env })
    const text = readFileSync(client.key, 'utf8')
    const pair = certificate(client)
    expect(given({ ...pair, TEMPORAL_TLS_CLIENT_KEY_PATH: '/no/such/file' })).toThrow(
      /TEMPORAL_TLS_CLIENT_KEY_PATH: \/no\/such\/file cannot be read/,
    )
    expect(given({ ...pair, TEMPORAL_TLS_CLIENT_KEY_PATH: text })).toThrow(/that is for TEMPORAL_TLS_CLIENT_KEY_DATA\.$/)
    expect(given({ ...pair, TEMPORAL_TLS_CLIENT_KEY_PATH: server.key })).toThrow(/is not the key of the certificate/)
    expect(given({ ...pair, TEMPORAL_TLS_CLIENT_KEY_PATH: client.cert })).toThrow(/no private key in PEM/)
    expect(given({ ...pair, TEMPORAL_TLS_CLIENT_CERT_PATH: client.key })).toThrow(/no certificate in PEM/)
    expect(given({ TEMPORAL_TLS_CLIENT_CERT_PATH: client.cert })).toThrow(/TEMPORAL_TLS_CLIENT_KEY_… is not/)
    expect(given(certificate(ca.sign('expired-client', 'worker.example', -1)))).toThrow(/TEMPORAL_TLS_CLIENT_CERT_PATH .* expired on/)
    expect(given({ TEMPORAL_TLS: 'yes' })).toThrow(/true or false/)
    expect(given({ TEMPORAL_TLS_DISABLE_HOST_VERIFICATION: 'true' })).toThrow(/not served/)
  })
})
