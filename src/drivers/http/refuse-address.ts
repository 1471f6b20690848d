import { isIP } from 'node:net'
import { addressRanges } from './address-ranges.ts'

// https://www.iana.org/assignments/iana-ipv4-special-registry and …/iana-ipv6-special-registry.
const REFUSED = [
  ['a loopback address', ['127.0.0.0/8', '::1/128']],
  ['an unspecified address', ['0.0.0.0/8', '::/128']],
  ['a private address', ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7', 'fec0::/10']],
  ['a link-local address', ['169.254.0.0/16', 'fe80::/10']],
  ['an address behind a carrier’s NAT', ['100.64.0.0/10']],
  ['a multicast address', ['224.0.0.0/4', 'ff00::/8']],
  [
    // Compatible, mapped, NAT64 (two), 6to4, Teredo: what they lead to is an IPv4 address that nobody has checked.
    'an IPv4 address dressed as IPv6',
    ['::/96', '::ffff:0:0/96', '64:ff9b::/96', '64:ff9b:1::/48', '2002::/16', '2001::/32'],
  ],
  [
    'a reserved address',
    // prettier-ignore
    [
      '192.0.0.0/24', '192.0.2.0/24', '192.88.99.0/24', '198.18.0.0/15', '198.51.100.0/24', '203.0.113.0/24',
      '240.0.0.0/4', '2001::/23', '2001:db8::/32', '3fff::/20',
    ],
  ],
] as const

const refusals = REFUSED.map(([kind, ranges]) => ({ kind, holds: addressRanges(ranges) }))

/** All that was ever given out as global unicast. */
const isGlobalUnicast = addressRanges(['2000::/3'])

/**
 * Why nothing of ours connects to this address, as "a loopback address"; undefined for a public one. What is no IP
 * address is refused too.
 */
export function refuseAddress(address: string): string | undefined {
  const refusal = refusals.find(({ holds }) => holds(address))
  if (refusal) return refusal.kind
  if (isIP(address) === 4 || isGlobalUnicast(address)) return undefined
  return 'no public address'
}
