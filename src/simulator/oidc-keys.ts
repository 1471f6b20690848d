import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose'
import type { Installation } from './project.ts'

/** The keys that Vercel signs its OIDC tokens with, and the tokens. */
export interface OidcKeys {
  /** What `/.well-known/jwks` shows: the current key and the one before. */
  shown(): Promise<{ keys: JWK[] }>
  /** Signs with a new key from then on. */
  rotate(): void
  /** A token for a call on behalf of a member of the team, or of Vercel itself. */
  mint(kind: 'user' | 'system', installation: Installation, issuer: string): Promise<string>
}

interface SigningKey {
  readonly privateKey: CryptoKey
  readonly shown: JWK & { readonly kid: string }
}

const ALGORITHM = 'RS256'

export function createOidcKeys(clientId: string): OidcKeys {
  const keys: Promise<SigningKey>[] = []
  const rotate = () => void keys.push(makeKey(`key-${keys.length + 1}`))
  const current = () => {
    if (keys.length === 0) rotate()
    return keys.slice(-2)
  }
  return {
    rotate,
    async shown() {
      return { keys: (await Promise.all(current())).map(({ shown }) => shown) }
    },
    async mint(kind, { id, teamId }, issuer) {
      const { privateKey, shown } = (await Promise.all(current())).at(-1)!
      const user = { user_id: 'user-1', user_role: 'ADMIN', user_email: 'owner@example.com' }
      return await new SignJWT({
        account_id: teamId,
        installation_id: id,
        ...(kind === 'user' && user),
      })
        .setProtectedHeader({ alg: ALGORITHM, kid: shown.kid })
        .setSubject(`account:${teamId}${kind === 'user' ? ':user:user-1' : ''}`)
        .setIssuer(issuer)
        .setAudience(clientId)
        .setIssuedAt()
        .setExpirationTime('5 minutes')
        .sign(privateKey)
    },
  }
}

async function makeKey(kid: string): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair(ALGORITHM, { extractable: true })
  return {
    privateKey,
    shown: { ...(await exportJWK(publicKey)), kid, alg: ALGORITHM, use: 'sig' },
  }
}
