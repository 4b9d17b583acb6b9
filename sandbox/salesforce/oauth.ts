/** The login side: tokens by five grants, a consent page for a person, identity, revocation, and what is left of SOAP login. */
import { createHmac } from 'node:crypto'
import { back, consent, isLoopback, problemPage } from '../kit/consent.js'
import type { Reply, Request } from '../kit/http.js'
import { type Access, orgId, salesforceOAuth } from './access.js'
import { jsonType, oauthRefusal } from './errors.js'
import { idOf } from './ids.js'

const user = idOf('005', 0)
const jwtBearer = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
/** My Domain serves the API. `localhost` stands for the shared login host, whose tokens name the other one. */
const instanceOf = (origin: string) => origin.replace('//localhost:', '//127.0.0.1:')
const isLoginHost = (origin: string) => new URL(origin).hostname === 'localhost'

export function token(access: Access, request: Request): Reply {
  if (!String(request.headers['content-type'] ?? '').startsWith('application/x-www-form-urlencoded'))
    return oauthRefusal('unsupported_grant_type', 'grant type not supported')
  const form = new URLSearchParams(request.text)
  const [id, secret] = client(form, request)
  const grantType = form.get('grant_type')
  if (grantType === jwtBearer) {
    const { origin } = request
    const why = access.judge(form.get('assertion') ?? '', [
      origin,
      instanceOf(origin),
      'https://login.salesforce.com',
      'https://test.salesforce.com',
    ])
    return why === undefined ? issued(request, access.session(), undefined, false) : oauthRefusal('invalid_grant', why)
  }
  if (id !== salesforceOAuth.clientId) return oauthRefusal('invalid_client_id', 'client identifier invalid')
  if (secret !== salesforceOAuth.clientSecret) return oauthRefusal('invalid_client', 'invalid client credentials')
  switch (grantType) {
    case 'refresh_token': {
      const given = access.refresh(form.get('refresh_token') ?? '')
      return given === undefined
        ? oauthRefusal('invalid_grant', 'expired access/refresh token')
        : issued(request, given.access, given.refresh)
    }
    case 'authorization_code': {
      const given = access.exchange(form.get('code') ?? '', form.get('redirect_uri') ?? '', form.get('code_verifier') ?? '')
      return given === undefined
        ? oauthRefusal('invalid_grant', 'invalid authorization code')
        : issued(request, given.access, given.refresh, true, given.scopes)
    }
    case 'client_credentials':
      if (isLoginHost(request.origin)) return oauthRefusal('invalid_grant', 'request not supported on this domain')
      return issued(request, access.session(), undefined)
    case 'password':
      return form.get('username') === salesforceOAuth.username && form.get('password') === password
        ? issued(request, access.session(), undefined)
        : oauthRefusal('invalid_grant', 'authentication failure')
    default:
      return oauthRefusal('unsupported_grant_type', 'grant type not supported')
  }
}

/** Password and security token, run together. */
const password = 'sandbox-passwordTOKEN'

function client(form: URLSearchParams, { headers }: Request): [string | null, string | null] {
  const [scheme = '', given = ''] = (headers.authorization ?? '').split(' ')
  if (!/^basic$/i.test(scheme)) return [form.get('client_id'), form.get('client_secret')]
  const [id = '', secret = ''] = Buffer.from(given, 'base64').toString().split(':')
  return [decodeURIComponent(id), decodeURIComponent(secret)]
}

/** There is no `expires_in`, ever. */
function issued(
  request: Request,
  access_token: string,
  refresh_token: string | undefined,
  isSigned = true,
  scopes = ['api', 'refresh_token'],
): Reply {
  const instance_url = instanceOf(request.origin)
  const id = `${instance_url}/id/${orgId}/${user}`
  const issued_at = String(Date.now())
  const signature = createHmac('sha256', salesforceOAuth.clientSecret)
    .update(id + issued_at)
    .digest('base64')
  return {
    status: 200,
    contentType: jsonType,
    body: {
      access_token,
      ...(refresh_token === undefined ? {} : { refresh_token }),
      instance_url,
      id,
      token_type: 'Bearer',
      scope: scopes.join(' '),
      ...(isSigned ? { issued_at, signature } : {}),
    },
  }
}

/** The consent page. Apps on a person's own machine are led back to the loopback, whatever the port; others nowhere. */
export function authorize(access: Access, request: Request): Reply {
  const { query } = request
  if (query.get('client_id') !== salesforceOAuth.clientId)
    return problemPage('error=invalid_client_id&error_description=client%20identifier%20invalid')
  if (!isLoopback(query.get('redirect_uri')))
    return problemPage('error=redirect_uri_mismatch&error_description=redirect_uri%20must%20match%20configuration')
  if (query.get('response_type') !== 'code')
    return back(request, { error: 'unsupported_response_type', error_description: 'response type not supported' })
  if (!query.has('code_challenge') || query.get('code_challenge_method') !== 'S256')
    return back(request, { error: 'invalid_request', error_description: 'missing required code challenge' })
  const scopes = (query.get('scope') ?? 'api refresh_token').split(' ')
  return consent(request, {
    vendor: 'Salesforce',
    codes: access.codes,
    scopes,
    denied: { error_description: 'end-user denied authorization' },
  })
}

export function identity(request: Request): Reply {
  const { username } = salesforceOAuth
  return {
    status: 200,
    contentType: jsonType,
    body: {
      id: `${instanceOf(request.origin)}/id/${orgId}/${user}`,
      user_id: user,
      organization_id: orgId,
      username,
      nick_name: 'integration',
      display_name: 'Integration User',
      email: username,
      active: true,
      user_type: 'STANDARD',
      language: 'en_US',
      locale: 'de_DE',
      utcOffset: 3_600_000,
    },
  }
}

export function revoke(access: Access, request: Request): Reply {
  access.revoke(new URLSearchParams(request.text).get('token') ?? '')
  return { status: 200 }
}

/** SOAP login is not there from API 65.0 on. */
export function soapLogin(access: Access, request: Request): Reply {
  const said = (name: string) => new RegExp(`<(?:\\w+:)?${name}>([^<]*)</`).exec(request.text)?.[1]
  const envelope = (inner: string) =>
    `<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body>${inner}</soapenv:Body></soapenv:Envelope>`
  const fault = (code: string, text: string): Reply => ({
    status: 500,
    contentType: 'text/xml; charset=utf-8',
    body: envelope(`<soapenv:Fault><faultcode>sf:${code}</faultcode><faultstring>${code}: ${text}</faultstring></soapenv:Fault>`),
  })
  const version = Number(request.params.v)
  if (!(version < 65)) return fault('UNSUPPORTED_API_VERSION', 'SOAP API login() is not supported in this version')
  if (said('username') !== salesforceOAuth.username || said('password') !== password)
    return fault('INVALID_LOGIN', 'Invalid username, password, security token; or user locked out.')
  const url = `${instanceOf(request.origin)}/services/Soap/u/${request.params.v}/${orgId.slice(0, 15)}`
  return {
    status: 200,
    contentType: 'text/xml; charset=utf-8',
    body: envelope(
      `<loginResponse><result><passwordExpired>false</passwordExpired><serverUrl>${url}</serverUrl><sessionId>${access.session()}</sessionId><userId>${user}</userId><userInfo><organizationId>${orgId}</organizationId></userInfo></result></loginResponse>`,
    ),
  }
}
