import { addressRanges } from './address-ranges.ts'

/** What may be connected to although its address is not a public one. */
export interface AllowList {
  /** Whether the host is named with this very port; wherever it resolves to. */
  names(hostname: string, port: number): boolean
  /** Whether the address is in a range of the list. */
  holds(address: string): boolean
}

/**
 * Reads entries such as `provider.internal:8443`, `[::1]:4000` and `10.0.0.0/8`. Throws a `RangeError` for what is
 * neither.
 */
export function parseAllowList(entries: readonly string[]): AllowList {
  const places = new Set<string>()
  const ranges: string[] = []
  for (const entry of entries) {
    if (entry.includes('/')) ranges.push(entry)
    else places.add(parsePlace(entry))
  }
  return {
    names: (hostname, port) => places.has(`${withoutBrackets(hostname)} ${port}`),
    holds: addressRanges(ranges),
  }
}

/** The host as URLs have it: of several ways to write an address they know one. */
export function withoutBrackets(hostname: string): string {
  return hostname.replace(/^\[(.*)\]$/, '$1')
}

function parsePlace(entry: string): string {
  const [, host = '', port = ''] = /^(\[[^\]]+\]|[^\s/?#@\\:]+):(\d{1,5})$/.exec(entry) ?? []
  const url = `http://${host}`
  if (host === '' || Number(port) > 65_535 || !URL.canParse(url))
    throw new RangeError(`${JSON.stringify(entry)} is neither a host with its port nor a range`)
  return `${withoutBrackets(new URL(url).hostname)} ${Number(port)}`
}
