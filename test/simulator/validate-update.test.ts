import { describe, expect, test } from 'vitest'
import { succeeded, vercelForTest } from './vercel-for-test.ts'

const HIDDEN = 'value-that-no-answer-repeats'
const secret = { name: 'DATABASE_URL', value: HIDDEN }
const outcome = { kind: 'resource-secrets', secrets: [secret] }
const withSecrets = (...secrets: unknown[]) => ({
  status: 'succeeded',
  outcomes: [{ kind: 'resource-secrets', secrets }],
})

const refused: [why: string, body: unknown, field: string][] = [
  ['a body that is no object', [], 'body'],
  ['a status Vercel does not know', { status: 'canceled' }, 'status'],
  ['a status of null', { status: null }, 'status'],
  ['an unknown key', { status: 'running', message: HIDDEN }, 'message'],
  ['a text that is no string', { statusText: 7 }, 'statusText'],
  ['a script as status URL', { statusUrl: 'javascript:alert(1)' }, 'statusUrl'],
  ['a relative status URL', { statusUrl: '/runs/1' }, 'statusUrl'],
  ['a status URL with a space', { statusUrl: 'https://example.com/a b' }, 'statusUrl'],
  ['a status URL without a host', { statusUrl: 'https://' }, 'statusUrl'],
  ['outcomes that are no list', { outcomes: outcome }, 'outcomes'],
  ['an unknown kind', { outcomes: [{ ...outcome, kind: 'env' }] }, 'outcomes[0].kind'],
  ['an outcome without a kind', { outcomes: [{ secrets: [] }] }, 'outcomes[0].kind'],
  ['an outcome without secrets', { outcomes: [{ kind: outcome.kind }] }, 'outcomes[0].secrets'],
  ['an unknown key of an outcome', { outcomes: [{ ...outcome, partial: true }] }, 'partial'],
  [
    'the overrides that only resource secrets have',
    withSecrets(secret, { name: 'A', value: HIDDEN, environmentOverrides: {} }),
    'outcomes[0].secrets[1].environmentOverrides',
  ],
  ['a secret without a value', withSecrets({ name: 'A' }), 'outcomes[0].secrets[0].value'],
  ['a number as value', withSecrets({ name: 'A', value: 1 }), 'outcomes[0].secrets[0].value'],
  ['an empty name', withSecrets({ name: '', value: HIDDEN }), 'outcomes[0].secrets[0].name'],
  ['a dash in a name', withSecrets({ name: 'A-B', value: HIDDEN }), 'outcomes[0].secrets[0].name'],
  ['a leading digit', withSecrets({ name: '1A', value: HIDDEN }), 'outcomes[0].secrets[0].name'],
  ['a reserved name', withSecrets({ name: 'TZ', value: HIDDEN }), 'outcomes[0].secrets[0].name'],
  [
    'a name of 257 characters',
    withSecrets({ name: 'A'.repeat(257), value: HIDDEN }),
    'outcomes[0].secrets[0].name',
  ],
  [
    'a value of 65537 characters',
    withSecrets({ name: 'A', value: 'x'.repeat(65_537) }),
    'outcomes[0].secrets[0].value',
  ],
  ['the same variable twice', withSecrets(secret, secret), 'outcomes[0].secrets[1].name'],
  [
    'more than 64 KB together, counted in bytes',
    withSecrets({ name: 'A', value: 'é'.repeat(20_000) }, { name: 'B', value: 'é'.repeat(13_000) }),
    'outcomes',
  ],
]

const accepted: [what: string, body: unknown][] = [
  ['no body', undefined],
  ['an empty object', {}],
  ['running with a text and a URL', { status: 'running', statusText: 'a', statusUrl: 'http://a' }],
  ['an address for single sign-on', { statusUrl: 'sso:/runs/1' }],
  ['empty strings and lists', { statusText: '', outcomes: [] }],
  ['an outcome without variables', withSecrets()],
  ['an empty value', withSecrets({ name: '_a1', value: '' })],
  ['exactly 64 KB', withSecrets({ name: 'A', value: 'x'.repeat(65_535) })],
]

describe('an update of an action', () => {
  test.each(refused)('is refused for %s, with the field named', async (_why, body, field) => {
    const { vercel, project, update } = await vercelForTest()
    const answer = await update(vercel.deploy(project), body)
    expect(answer.status).toBe(400)
    expect(answer.body.error.code).toBe('bad_request')
    expect(answer.body.error.message).toContain(field)
    expect(answer.text).not.toContain(HIDDEN)
  })

  test.each(accepted)('is taken with %s, and answered 202 with nothing', async (_what, body) => {
    const { vercel, update } = await vercelForTest()
    const bare = vercel.createProject({ name: 'bare', resources: [{ resourceId: 'db' }] })
    const answer = await update(vercel.deploy(bare), body)
    expect(answer).toMatchObject({ status: 202, text: '' })
  })

  test('is refused when it is not JSON', async () => {
    const { vercel, project, request, updatePath } = await vercelForTest()
    const path = updatePath(vercel.deploy(project))
    const headers = { 'content-type': 'application/json' }
    const broken = await request(path, { method: 'PATCH', headers, body: '{"status":' })
    const form = await request(path, { method: 'PATCH', body: 'status=running' })
    expect([broken.status, form.status]).toEqual([400, 400])
  })

  test('is refused when its variables and the project’s exceed 64 KB together', async () => {
    const { vercel, update } = await vercelForTest()
    const project = vercel.createProject({
      name: 'full',
      resources: [{ resourceId: 'db' }],
      env: { preview: { BIG: 'x'.repeat(40_000), DATABASE_URL: 'y'.repeat(20_000) } },
    })
    const deployment = vercel.deploy(project)
    expect(await update(deployment, succeeded({ A: 'x'.repeat(30_000) }))).toMatchObject({
      status: 400,
    })
    // An override takes the place of what it overrides.
    const fits = succeeded({ DATABASE_URL: 'x'.repeat(25_000) })
    expect(await update(deployment, fits)).toMatchObject({ status: 202 })
  })
})
