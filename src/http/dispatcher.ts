import { Agent, type Dispatcher, EnvHttpProxyAgent } from 'undici'

/** How many connections one vendor is given at most; its budget mostly allows fewer requests at once. */
const connections = 64
/** A machine that does not take a connection in this time is taken to be away. */
const connectMs = 30_000

const { env } = process
const all = env.all_proxy ?? env.ALL_PROXY
const httpProxy = env.http_proxy ?? env.HTTP_PROXY ?? all
const httpsProxy = env.https_proxy ?? env.HTTPS_PROXY ?? all
const options = { connections, connect: { timeout: connectMs } }

/**
 * The connections of this process to vendors, kept from one request to the next: a new one a page would cost as much as the page. By way of the
 * proxy that the environment names, as curl reads it: `https_proxy`, `http_proxy`, `all_proxy`, `no_proxy`.
 */
export const dispatcher: Dispatcher =
  httpProxy || httpsProxy
    ? new EnvHttpProxyAgent({ ...options, ...(httpProxy ? { httpProxy } : {}), ...(httpsProxy ? { httpsProxy } : {}) })
    : new Agent(options)
