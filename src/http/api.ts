import type { Reason } from '../core/failure.js'

/** So many requests in so long; the vendor refuses what goes beyond. */
export interface Window {
  count: number
  perMs: number
}

/** What an account may spend on one class of calls; all windows at once. */
export interface Budget {
  windows: readonly Window[]
  /** Requests under way at once. */
  concurrency: number
}

/** How a connection proves who it is. Settings are resolved: secrets in clear, never logged. */
export type Auth =
  | {
      kind: 'header'
      headers: Readonly<Record<string, string>>
      /** Parameters that prove it too, such as a signature of the token: part of every address, and as secret as the headers. */
      query?: Readonly<Record<string, string>>
      /** Where the API is, where the settings say so; else at the connection's origin. */
      apiUrl?: string
    }
  | {
      kind: 'oauth'
      /** Below the API's origin, or whole; a base_url moves it along. */
      tokenUrl: string
      /** The user named the token endpoint itself: it stays where it is. */
      isTokenUrlGiven?: boolean
      clientId: string
      clientSecret: string
      /** The first one; those that a vendor rotates are kept. */
      refreshToken?: string
      /** Client in the Authorization header instead of the body. */
      basic: boolean
      /**
       * The whole form that asks for a token, where it is not that of a refresh token: a signed statement, the client alone. It is given
       * the refresh token that is there, and answers with none where it cannot do without.
       */
      grant?: (refreshToken: string | undefined, now: Date) => Form | undefined | Promise<Form | undefined>
      /** What else proves who the connection is, such as a private key: never in a message, and another one starts anew. */
      secrets?: readonly string[]
      /** The field of the token's answer that says where the API is: requests go there, and nowhere else. */
      originField?: string
    }
  | {
      /** A token that lives long and is renewed by nobody: that of a person's consent, else that of the settings. */
      kind: 'token'
      clientId: string
      clientSecret: string
      token?: string
      /** What proves it, made of the token: headers, and parameters such as a signature. */
      credential: (token: string) => Pick<Extract<Auth, { kind: 'header' }>, 'headers' | 'query'>
    }

type Form = Readonly<Record<string, string>>

/** One line of a vendor's exceptions: matched on status and code, never on prose. The first that fits counts. */
export interface FailureLine {
  /** Without it any: some vendors say all by their code. */
  status?: number
  /** A code may have parts (`190/463`): a line that names the first ones fits whatever follows them. */
  code?: string
  reason: Reason
  /** What a person should know or do. */
  hint: string
}

/** What a good answer says of the budget. */
export interface Learned {
  /** Nothing is left for so long. */
  pauseMs?: number
  /** What the window of this length really holds; accounts of one vendor differ. */
  window?: Window
}

export interface Version {
  name: string
  /** YYYY-MM-DD, the vendor's word: until then it is served. */
  sunset?: string
}

/** One vendor's wire. Everything odd about a vendor's HTTP stands in a value of this type. */
export interface Api {
  name: string
  origin: string
  /** Versions that work, the default first. */
  versions: readonly [Version, ...Version[]]
  /**
   * The vendor's other hosts, by name: the same credential goes there. A base_url moves them along, unless the setting that is named says
   * where one is.
   */
  hosts?: Readonly<Record<string, { origin: string; setting: string }>>
  headers: (version: string, settings: Readonly<Record<string, unknown>>) => Readonly<Record<string, string>>
  auth: (settings: Readonly<Record<string, unknown>>) => Auth
  /** What of the settings shapes requests, such as accounts: never a secret. */
  forReaders?: (settings: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>>
  /** The first one pays for requests that name none. */
  budgets: Readonly<Record<string, Budget>>
  /** Where the vendor counts each endpoint apart: the endpoint of a request. Without it a budget is shared by all that name it. */
  endpoint?: (method: string, path: string) => string
  /** The account that the budgets belong to, as far as settings tell; hashed before use. */
  account: (settings: Readonly<Record<string, unknown>>) => string
  failures: readonly FailureLine[]
  /** The vendor's code in an error body. */
  errorCode: (body: unknown) => string | undefined
  /** The vendor's sentence in an error body, for people. */
  errorMessage: (body: unknown) => string | undefined
  /** How long to wait after a refusal, where the vendor says so in its own way; Retry-After is honoured without it. */
  retryAfterMs?: (answer: { status: number; headers: Readonly<Record<string, string>>; body: unknown }) => number | undefined
  /** What the headers of a good answer say of the budget. */
  learn?: (headers: Readonly<Record<string, string>>) => Learned | undefined
}
