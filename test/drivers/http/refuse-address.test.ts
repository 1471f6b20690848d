import { expect, test } from 'vitest'
import { addressRanges } from '../../../src/drivers/http/address-ranges.ts'
import { refuseAddress } from '../../../src/drivers/http/refuse-address.ts'

test.each([
  ['a loopback address', ['127.0.0.1', '127.255.255.254', '::1', '0:0:0:0:0:0:0:1']],
  ['an unspecified address', ['0.0.0.0', '0.1.2.3', '::']],
  ['a private address', ['10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1', 'fd00::1']],
  ['a private address', ['fc00::1', 'fec0::1']],
  ['a link-local address', ['169.254.169.254', '169.254.0.1', 'fe80::1', 'febf::1', 'fe80::1%lo']],
  ['an address behind a carrier’s NAT', ['100.64.0.1', '100.127.255.255']],
  ['a multicast address', ['224.0.0.1', '239.255.255.255', 'ff02::1']],
  [
    'an IPv4 address dressed as IPv6',
    [
      '::ffff:127.0.0.1',
      '::ffff:8.8.8.8',
      '::ffff:a9fe:a9fe',
      '::127.0.0.1',
      '64:ff9b::7f00:1',
      '64:ff9b:1::7f00:1',
      '2002:7f00:1::',
      '2001:0:4136:e378::1',
    ],
  ],
  ['a reserved address', ['192.0.0.8', '192.0.2.1', '198.18.0.1', '198.51.100.1', '203.0.113.1']],
  ['a reserved address', ['240.0.0.1', '255.255.255.255', '192.88.99.1']],
  ['a reserved address', ['2001:db8::1', '2001:10::1', '3fff::1']],
  ['no public address', ['4000::1', '100::1', '5f00::1', '', 'localhost', '127.1', '8.8.8.8/8']],
])('%s is refused: %j', (kind, addresses) => {
  for (const address of addresses)
    expect([address, refuseAddress(address)]).toEqual([address, kind])
})

test('public addresses are not refused, next to a refused range either', () => {
  // prettier-ignore
  const addresses = [
    '8.8.8.8', '1.1.1.1', '9.255.255.255', '11.0.0.0', '100.63.255.255', '100.128.0.0', '126.255.255.255', '128.0.0.0',
    '169.253.255.255', '169.255.0.0', '172.15.255.255', '172.32.0.0', '192.167.255.255', '192.169.0.0', '198.17.255.255',
    '198.20.0.0', '223.255.255.255', '2001:200::1', '2001:4860:4860::8888', '2003::1', '2606:4700::1111', '2a00::1',
  ]
  expect(addresses.filter((address) => refuseAddress(address) !== undefined)).toEqual([])
})

test('a range holds its own family only, and nothing that is no address', () => {
  const isMapped = addressRanges(['::ffff:0:0/96'])
  expect(isMapped('::ffff:8.8.8.8')).toBe(true)
  expect(isMapped('8.8.8.8')).toBe(false)
  expect(addressRanges(['0.0.0.0/0'])('example.com')).toBe(false)
  expect(addressRanges([])('8.8.8.8')).toBe(false)
})
