import { readdir, readFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { Worker } from '@temporalio/worker'
import { DeterminismViolationError } from '@temporalio/workflow'
import { expect, inject, test } from 'vitest'
import packageJson from '../../package.json' with { type: 'json' }

const directory = join(import.meta.dirname, 'histories')
/** One directory for each version that ever ran: runs of an earlier one may still be open. */
const versions = await readdir(directory)
const files = (
  await Promise.all(
    versions.map(async (version) =>
      (await readdir(join(directory, version))).map((file) => `${version}/${file}`),
    ),
  )
).flat()

/** What keeps a stored run from going on with the workflow code of today; undefined when nothing does. */
async function replay(history: unknown): Promise<Error | undefined> {
  const results = Worker.runReplayHistories(
    { workflowBundle: { codePath: inject('workflowBundle') } },
    [{ workflowId: 'stored', history }],
  )
  for await (const { error } of results) return error
  throw new Error('Nothing was replayed.')
}

const read = (file: string) => readFile(join(directory, file), 'utf8')

test('every way a run can go is stored, as it goes in this version', () => {
  const ofThisVersion = files.filter((file) => dirname(file) === packageJson.version)
  expect(ofThisVersion.map((file) => basename(file, '.json')).sort()).toEqual([
    'action-that-a-check-waited-for',
    'canceled-by-an-operator',
    'canceled-while-migrating',
    'canceled-while-provisioning',
    'check-after-an-action-at-work',
    'check-canceled-before-its-start',
    'check-canceled-while-it-is-run',
    'check-of-an-action-that-failed',
    'check-registration',
    'cleaned-while-provisioning',
    'compensation-of-a-cancel',
    'compensation-of-a-cleanup',
    'deployment-check',
    'deployment-check-canceled-before-it-is-built',
    'deployment-check-run-once-more',
    'deployment-removed',
    'failed-after-retries-at-its-deadline',
    'failed-for-good',
    'installation-removed',
    'kept-after-a-lost-answer',
    'kept-though-it-vanished-for-a-moment',
    'reconciliation',
    'refused-by-its-policy',
    'refused-outright',
    'resource-not-provisioned',
    'resource-not-updated',
    'resource-provisioned',
    'resource-removed',
    'resource-removed-while-provisioning',
    'resource-told-later',
    'resource-updated',
    'secrets-expired',
    'secrets-rotated',
    'skipped-as-nothing-waits',
    'skipped-by-its-policy',
    'succeeded',
    'succeeded-after-waiting-in-line',
    'succeeded-with-migrate-and-ready',
    'tombstone',
    'undone-as-the-deployment-lapsed',
  ])
})

test.each(files)(
  'a run that went as in %s goes on with the workflow code of today',
  async (file) => {
    expect(await replay(JSON.parse(await read(file)))).toBeUndefined()
  },
)

test('a change of the workflow code that breaks open runs does not pass', async () => {
  const stored = await read(`${packageJson.version}/succeeded.json`)
  const other = stored.replace('"name": "provision"', '"name": "provisionOtherwise"')
  expect(other).not.toBe(stored)
  expect(await replay(JSON.parse(other))).toBeInstanceOf(DeterminismViolationError)
})

test.each(files)('%s tells nothing of the machine it was recorded on', async (file) => {
  const text = await read(file)
  const identities = new Set(text.match(/"identity": ".*"/g))
  // One run signals another through the server.
  identities.delete('"identity": "history-service"')
  expect([...identities]).toEqual(['"identity": "a-worker"'])
  // Payloads are base64 of JSON.
  const payloads = [...text.matchAll(/"data": "([A-Za-z0-9+/=]+)"/g)].map(([, data = '']) =>
    Buffer.from(data, 'base64').toString(),
  )
  for (const part of [text, ...payloads]) {
    expect(part).not.toMatch(/\d+@[\w.-]+|file:\/\/|node_modules|\.[jt]s:\d+/)
  }
})
