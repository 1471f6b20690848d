import { createHmac } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  base64url,
  type CryptoKey,
  exportJWK,
  generateKeyPair,
  importJWK,
  type JWK,
  SignJWT,
} from 'jose'

export const AUDIENCE = 'oac_integration'

export interface TokenChanges {
  readonly claims?: Readonly<Record<string, unknown>>
  /** Seconds from now. */
  readonly expiresIn?: number
  readonly kid?: string
  readonly alg?: string
  /** Signs with a key that the issuer does not show. */
  readonly stranger?: boolean
}

/** Vercel as an issuer of OIDC tokens: shows its keys at `/.well-known/jwks`. */
export interface OidcIssuer {
  readonly url: string
  /** How often the keys were asked for. */
  readonly keysRead: () => number
  /** Shows a new key beside the last one, and signs with it. */
  rotate(): Promise<void>
  /** Whether keys are shown, or 503 is answered. */
  up: boolean
  user(installationId: string | null, changes?: TokenChanges): Promise<string>
  system(installationId: string | null, changes?: TokenChanges): Promise<string>
  close(): Promise<void>
}

interface Key {
  readonly kid: string
  readonly privateKey: CryptoKey
  readonly shown: JWK
}

export async function startOidcIssuer(): Promise<OidcIssuer> {
  const keys: Key[] = [await makeKey('key-1')]
  const stranger = await makeKey('stranger')
  let read = 0
  const server: Server = createServer((request, response) => {
    if (request.url !== '/.well-known/jwks') return void response.writeHead(404).end()
    read += 1
    if (!issuer.up) return void response.writeHead(503).end()
    response
      .writeHead(200, { 'content-type': 'application/json' })
      .end(JSON.stringify({ keys: keys.slice(-2).map(({ shown }) => shown) }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

  async function mint(
    claims: Record<string, unknown>,
    changes: TokenChanges = {},
  ): Promise<string> {
    const current = changes.stranger ? stranger : keys.at(-1)
    if (!current) throw new Error('There is no key.')
    const now = Math.floor(Date.now() / 1000)
    const all = {
      iss: url,
      aud: AUDIENCE,
      iat: now,
      exp: now + (changes.expiresIn ?? 300),
      ...claims,
      ...changes.claims,
    }
    const { alg = 'RS256', kid = current.kid } = changes
    if (alg === 'none') return `${encode({ alg, kid })}.${encode(all)}.`
    if (alg === 'HS256') {
      const signed = `${encode({ alg, kid })}.${encode(all)}`
      // With the public key as the secret, which a verifier that trusts the header would use.
      const mac = createHmac('sha256', JSON.stringify(current.shown)).update(signed).digest()
      return `${signed}.${base64url.encode(mac)}`
    }
    // The same key may sign in other ways, of which its JWK says nothing.
    const key = await importJWK(await exportJWK(current.privateKey), alg)
    return await new SignJWT(all).setProtectedHeader({ alg, kid }).sign(key)
  }

  const issuer: OidcIssuer = {
    url,
    up: true,
    keysRead: () => read,
    async rotate() {
      keys.push(await makeKey(`key-${keys.length + 1}`))
    },
    user: (installation_id, changes) =>
      mint(
        {
          sub: 'account:a1:user:u1',
          account_id: 'a1',
          installation_id,
          user_id: 'u1',
          user_role: 'ADMIN',
        },
        changes,
      ),
    system: (installation_id, changes) =>
      mint({ sub: 'account:a1', account_id: 'a1', installation_id }, changes),
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return issuer
}

async function makeKey(kid: string): Promise<Key> {
  const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true })
  return { kid, privateKey, shown: { ...(await exportJWK(publicKey)), kid, use: 'sig' } }
}

function encode(part: object): string {
  return base64url.encode(JSON.stringify(part))
}
