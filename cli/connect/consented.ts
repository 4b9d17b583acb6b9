import { createHash, randomBytes } from 'node:crypto'
import { Failure } from '../../src/core/failure.js'
import type { ConnectAnswer, ConsentAnswer } from '../../src/engine/connect.js'
import type { Printer } from '../print.js'
import { openBrowser } from './browser.js'
import { pasted } from './paste.js'
import { type Returned, redirectElsewhere, startReceiver } from './receiver.js'

/** How the person gets to the vendor's page and back. */
export interface Way {
  /** False with --no-browser. */
  browser: boolean
  port?: number
  redirect?: string
  /** Seconds. */
  wait: number
}

type Exchange = (given: { code: string; redirect: string; verifier?: string }) => Promise<ConnectAnswer>

/** Shows the person the vendor's page, waits for the browser to come back, and has the code exchanged. */
export async function consented(
  consent: ConsentAnswer,
  options: Way,
  printer: Printer,
  name: string,
  exchange: Exchange,
): Promise<ConnectAnswer> {
  const state = randomBytes(24).toString('base64url')
  const verifier = consent.pkce ? randomBytes(48).toString('base64url') : undefined
  const isHere = options.browser && options.redirect === undefined
  const receiver = isHere ? await startReceiver(consent.loopback, state, options.port) : undefined
  const redirect = receiver?.redirect ?? options.redirect ?? redirectElsewhere(consent.loopback, options.port)
  try {
    const address = addressWith(consent.address, { redirect_uri: redirect, state, ...challengeOf(verifier) })
    printer.note(
      `Scopes: ${consent.scopes.join(', ')}\nThe app must have this redirect address${consent.loopback.anyPort ? ', or take any of this machine' : ''}: ${redirect}`,
    )
    printer.note(`Open this address and agree:\n\n  ${address}\n`)
    if (isHere && !(await openBrowser(address)))
      printer.note('No browser could be started here. Open the address in one on this machine, or run again with --no-browser.')
    const returned = await inTime(options.wait, name, redirect, (signal) => receiver?.returned ?? elsewhere(state, signal, printer))
    return await answered(returned, name, (code) => exchange({ code, redirect, ...(verifier === undefined ? {} : { verifier }) }))
  } finally {
    await receiver?.close()
  }
}

/** The person's browser waits for the end of the exchange, so that its page says what is true. */
async function answered(
  { parameters, show }: Returned,
  name: string,
  exchange: (code: string) => Promise<ConnectAnswer>,
): Promise<ConnectAnswer> {
  try {
    const code = parameters.get('code')
    if (code === null || parameters.has('error')) throw refused(parameters, name)
    const answer = await exchange(code)
    await show('Done', `Connection ${name} is connected. This window may be closed.`)
    return answer
  } catch (error) {
    await show('It did not work', 'The command in your terminal says why. This window may be closed.')
    throw error
  }
}

async function elsewhere(state: string, signal: AbortSignal, printer: Printer): Promise<Returned> {
  printer.note(
    'After you have agreed, the browser shows an error, since nobody answers there: the address in its address bar is what is wanted.',
  )
  return { parameters: await pasted(state, signal), show: () => Promise.resolve() }
}

/** @throws Failure `auth` when the time is over */
async function inTime<T>(seconds: number, name: string, redirect: string, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const over = new AbortController()
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const failure = new Failure(
        'auth',
        `Nobody came back from the vendor's page within ${seconds} s; nothing has changed. If the page showed an error, compare the app's id, scopes and redirect addresses (${redirect}) with it, and run \`weir connect ${name}\` again.`,
        { connection: name },
      )
      over.abort(failure)
      reject(failure)
    }, seconds * 1000)
  })
  try {
    return await Promise.race([work(over.signal), late])
  } finally {
    clearTimeout(timer)
  }
}

/** What the vendor says by words of its own is a word or two (RFC 6749); what a page puts behind it is not repeated. */
function refused(parameters: URLSearchParams, name: string): Failure {
  const error = parameters.get('error') ?? ''
  const said = /^\w{1,60}$/.test(error) ? error : 'no code'
  const what = said === 'access_denied' ? 'The person did not agree' : `The vendor's page ended with ${said}`
  const next = said === 'access_denied' ? 'as somebody who may grant access' : "when the app's id, scopes and redirect addresses are right"
  return new Failure('permission', `${what} (${said}); nothing has changed. Run \`weir connect ${name}\` again, ${next}.`, {
    connection: name,
  })
}

const challengeOf = (verifier: string | undefined): Record<string, string> =>
  verifier === undefined ? {} : { code_challenge: createHash('sha256').update(verifier).digest('base64url'), code_challenge_method: 'S256' }

function addressWith(address: string, more: Readonly<Record<string, string>>): string {
  const url = new URL(address)
  for (const [name, value] of Object.entries(more)) url.searchParams.set(name, value)
  return url.href
}
