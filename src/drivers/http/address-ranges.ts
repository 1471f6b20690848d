import { BlockList, isIP } from 'node:net'

/**
 * Answers, of an IP address, whether it is in one of these ranges (`10.0.0.0/8`, `fd00::/8`). Throws a `RangeError` for
 * a text that is no range.
 */
export function addressRanges(ranges: readonly string[]): (address: string) => boolean {
  // A list for each family: in a common one a range of mapped addresses holds every IPv4 address.
  const lists = { 4: new BlockList(), 6: new BlockList() }
  for (const range of ranges) {
    const [network = '', prefix = '', ...rest] = range.split('/')
    const family = isIP(network)
    if (!isFamily(family) || !/^\d{1,3}$/.test(prefix) || rest.length > 0)
      throw new RangeError(`${JSON.stringify(range)} is no range of addresses`)
    lists[family].addSubnet(network, Number(prefix), TYPES[family])
  }
  return (address) => {
    const family = isIP(address)
    return isFamily(family) && lists[family].check(address, TYPES[family])
  }
}

const TYPES = { 4: 'ipv4', 6: 'ipv6' } as const

function isFamily(family: number): family is keyof typeof TYPES {
  return family === 4 || family === 6
}
