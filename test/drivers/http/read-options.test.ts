import { expect, test } from 'vitest'
import { http, type HttpOptions } from '../../../src/index.ts'

const secret = 'a-secret-that-no-error-may-ever-tell'
const url = 'https://api.example.com/holdpoint'

test.each<[string, Partial<HttpOptions>]>([
  ['url', { url: undefined }],
  ['url', { url: '' }],
  ['url', { url: 'api.example.com' }],
  ['url', { url: 'ftp://api.example.com' }],
  ['url', { url: 'https://user@api.example.com' }],
  ['url', { url: 'https://:password@api.example.com' }],
  ['url', { url: 'https://api.example.com/?tenant=1' }],
  ['url', { url: 'https://api.example.com/#top' }],
  ['url', { url: 'http://api.example.com' }],
  ['url', { url: 'http://api.example.com:81', allow: ['api.example.com:80'] }],
  ['url', { url: 'http://127.0.0.1:4000' }],
  ['url', { url: 'https://127.0.0.1' }],
  ['url', { url: 'https://0x7f.1' }],
  ['url', { url: 'https://2130706433' }],
  ['url', { url: 'https://0177.0.0.1' }],
  ['url', { url: 'https://[::1]' }],
  ['url', { url: 'https://[::ffff:7f00:1]' }],
  ['url', { url: 'https://169.254.169.254' }],
  ['url', { url: 'https://10.0.0.1', allow: ['10.0.0.1:444', '11.0.0.0/8'] }],
  ['secret', { secret: undefined }],
  ['secret', { secret: '' }],
  ['secret', { secret: secret.slice(0, 31) }],
  ['secret', { secret: `${secret},short` }],
  ['allow', { allow: ['10.0.0.0/33'] }],
  ['allow', { allow: ['10.0.0.0/8/8'] }],
  ['allow', { allow: ['10.0.0.0/-1'] }],
  ['allow', { allow: ['provider/8'] }],
  ['allow', { allow: ['provider.internal'] }],
  ['allow', { allow: ['127.0.0.1'] }],
  ['allow', { allow: ['user@provider:80'] }],
  ['allow', { allow: ['::1:80'] }],
  ['allow', { allow: ['provider:99999'] }],
  ['allow', { allow: [''] }],
  ['timeout', { timeout: 'soon' }],
  ['timeout', { timeout: '' }],
  ['timeout', { timeout: '0' }],
  ['timeout', { timeout: '-1 s' }],
  ['timeout', { timeout: '11 minutes' }],
  ['publicUrl', { publicUrl: 'holdpoint.example.com' }],
  ['publicUrl', { publicUrl: 'https://user:pw@holdpoint.example.com' }],
])(
  'http({ %s }) is refused when the options are %j, and the secret is not told',
  (field, options) => {
    let message = ''
    try {
      http({ url, secret, ...options })
    } catch (error) {
      expect(error).toBeInstanceOf(TypeError)
      message = String(error)
    }
    expect(message).toContain(`http({ ${field} }) `)
    expect(message).toContain('so no branch can be made through it')
    expect(message).not.toContain(secret.slice(0, 31))
  },
)

test.each<Partial<HttpOptions>>([
  {},
  { url: 'https://api.example.com/' },
  { url: 'https://93.184.215.14:8443/v1' },
  { url: 'http://provider.internal:8080', allow: ['Provider.Internal:8080'] },
  { url: 'http://127.0.0.1:4000', allow: ['127.0.0.0/8'] },
  { url: 'http://[::1]:4000', allow: ['[::1]:4000'] },
  { url: 'https://10.0.0.1', allow: ['10.0.0.1:443'] },
  { secret: `${secret}, ${secret}2` },
  { timeout: '1 minute', publicUrl: 'https://holdpoint.example.com/' },
  { allow: undefined, timeout: undefined, publicUrl: '' },
])('http(%j) is taken', async (options) => {
  const driver = http({ url, secret, ...options })
  expect(driver.kind).toBe('http')
  expect(driver.sharing).toBeUndefined()
  await driver.close()
})
