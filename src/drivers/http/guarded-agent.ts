import { lookup as lookUp, type LookupAddress } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import { Agent, buildConnector } from 'undici'
import { ActionFailure } from '../../domain/failure.ts'
import type { AllowList } from './allow-list.ts'
import { refuseAddress } from './refuse-address.ts'

/** How a name becomes all of its addresses; `dns.lookup` is one. */
export type LookUpAll = (
  hostname: string,
  options: { readonly all: true },
  done: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void

export interface GuardedAgentSettings {
  readonly allow: AllowList
  readonly connectTimeoutMs: number
  /** More than this of one answer, in bytes, breaks it off. */
  readonly maxResponseBytes: number
  readonly lookUp?: LookUpAll
}

/**
 * Carries requests to public addresses only, and to what the list allows. It looks when it connects, and connects to
 * the very addresses it has looked at: so a name that resolves anew to somewhere else, or a URL made by somebody else,
 * leads nowhere. A request to what is refused fails with an `ActionFailure` before anything is sent.
 */
export function guardedAgent(settings: GuardedAgentSettings): Agent {
  const { allow, connectTimeoutMs, maxResponseBytes } = settings
  const connectAnywhere = buildConnector({ timeout: connectTimeoutMs })
  const connectGuarded = buildConnector({
    timeout: connectTimeoutMs,
    lookup: guardedLookup(settings),
  })
  return new Agent({
    maxResponseSize: maxResponseBytes,
    connect(target, connected) {
      const { hostname, protocol } = target
      const port = Number(target.port || (protocol === 'https:' ? 443 : 80))
      if (allow.names(hostname, port)) return connectAnywhere(target, connected)
      // For an address there is nothing to look up, so Node would not ask.
      const refusal = isIP(hostname) === 0 ? undefined : refusalOf(hostname, allow)
      if (refusal === undefined) return connectGuarded(target, connected)
      queueMicrotask(() => connected(addressRefused(hostname, refusal), null))
    },
  })
}

/** Refuses a name when any of its addresses is refused: one that has both kinds is up to something. */
function guardedLookup({
  allow,
  lookUp: resolve = (hostname, options, done) => lookUp(hostname, options, done),
}: GuardedAgentSettings): LookupFunction {
  return (hostname, options, done) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return done(error, [])
      const [refusal] = addresses.flatMap(({ address }) => refusalOf(address, allow) ?? [])
      if (refusal !== undefined) return done(addressRefused(hostname, refusal), [])
      const [first] = addresses
      if (options.all || first === undefined) return done(null, addresses)
      done(null, first.address, first.family)
    })
  }
}

function refusalOf(address: string, allow: AllowList): string | undefined {
  return allow.holds(address) ? undefined : refuseAddress(address)
}

function addressRefused(hostname: string, kind: string): ActionFailure {
  return new ActionFailure(
    'address_refused',
    `${hostname} leads to ${kind}, so nothing was sent to it: only public addresses are. If it is meant, name it with its port in the setting allow.`,
    { retryable: true },
  )
}
