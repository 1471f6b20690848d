import { describe, expect, test } from 'vitest'
import { Secret } from '../src/domain/secret.ts'
import { jsonLog, redact } from '../src/log.ts'

function written(say: (log: ReturnType<typeof jsonLog>) => void): Record<string, unknown>[] {
  const lines: string[] = []
  say(jsonLog((line) => lines.push(line)))
  for (const line of lines) expect(line.indexOf('\n')).toBe(line.length - 1)
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>)
}

test('each event is one line of JSON with its time, level and ids', () => {
  const [info, warn, error] = written((log) => {
    log.info('action.succeeded', { deploymentId: 'dpl_1' })
    log.warn('report.again')
    log.error('http.unforeseen_error', { text: 'two\nlines' })
  })
  expect(info).toMatchObject({ level: 'info', event: 'action.succeeded', deploymentId: 'dpl_1' })
  expect(Date.parse(String(info?.['at']))).toBeLessThanOrEqual(Date.now())
  expect(warn).toMatchObject({ level: 'warn', event: 'report.again' })
  expect(error).toMatchObject({ level: 'error', text: 'two\nlines' })
})

test('an error is written with its stack, a big number as text', () => {
  const [line] = written((log) => log.error('x', { error: new TypeError('No.'), size: 7n }))
  expect(line).toMatchObject({ error: { name: 'TypeError', message: 'No.' }, size: '7' })
  expect(line).toMatchObject({ error: { stack: expect.stringContaining('log.test.ts') } })
})

describe('credentials are blanked', () => {
  test.each([
    ['postgres://me:hunter2@db:5432/app', 'postgres://me:[redacted]@db:5432/app'],
    ['postgresql://:hunter2@db', 'postgresql://:[redacted]@db'],
    [
      'at https://a:hunter2@b and redis://c:hunter2@d',
      'at https://a:[redacted]@b and redis://c:[redacted]@d',
    ],
    ['postgres://me:hun/te:r2@db', 'postgres://me:[redacted]@db'],
    ['Authorization: Bearer hunter2', 'Authorization: Bearer [redacted]'],
    ['{"authorization":"bearer hunter2"}', '{"authorization":"bearer [redacted]"}'],
  ])('%s', (text, blanked) => {
    expect(redact(text)).toBe(blanked)
  })

  test('in whatever is logged, however deep', () => {
    const lines = written((log) =>
      log.error('x', {
        url: 'postgres://me:hunter2@db/app',
        error: new Error('login as postgres://me:hunter2@db failed'),
        nested: [{ header: 'Bearer hunter2', secret: new Secret('hunter2') }],
      }),
    )
    expect(JSON.stringify(lines)).not.toContain('hunter2')
  })
})

test.each([
  'https://vercel.com/api/v13/deployments/dpl_1',
  'http://127.0.0.1:3000/webhooks',
  'mail to a@b.example',
  'postgres://me@db:5432/app',
])('what holds none is left as it is: %s', (text) => {
  expect(redact(text)).toBe(text)
})
