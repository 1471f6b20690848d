import type { z } from 'zod'
import type { BranchRecord } from '../driver.ts'
import { listAnswerSchema, listedBranchSchema } from './answer-schemas.ts'
import { unreadableAnswer } from './describe-problem.ts'
import { ask, type Errand, type Provider } from './provider.ts'

/** Every branch that the provider made for a Holdpoint, page by page; each once. */
export async function listBranches(
  provider: Provider,
  signal: AbortSignal,
): Promise<BranchRecord[]> {
  const errand = { doing: 'the branches are not known', signal }
  const records = new Map<string, BranchRecord>()
  const cursors = new Set<string>()
  for (let cursor: string | undefined; ;) {
    const page = await listPage(provider, errand, cursor)
    for (const record of page.records) records.set(record.ref.name, record)
    if (page.next === undefined) return [...records.values()]
    if (cursors.has(page.next))
      throw unreadableAnswer('its pages go round in a circle', errand.doing)
    cursor = page.next
    cursors.add(cursor)
  }
}

/** One page; the first where no cursor is given. */
export async function listPage(
  provider: Provider,
  errand: Errand,
  cursor?: string,
): Promise<{ records: BranchRecord[]; next: string | undefined }> {
  const query = cursor === undefined ? {} : { cursor }
  const { body } = await ask(
    provider,
    { method: 'GET', path: ['branches'], query },
    { ...errand, schema: listAnswerSchema },
  )
  const records = body.branches.flatMap((branch) => {
    // What has no owner that we could ask for is none of ours.
    const { data } = listedBranchSchema.safeParse(branch)
    return data ? [toRecord(data)] : []
  })
  return { records, next: body.next ?? undefined }
}

function toRecord(branch: z.infer<typeof listedBranchSchema>): BranchRecord {
  const { name, owner, state, source, createdAt, holdpoint } = branch
  return {
    ref: { name, owner },
    complete: state === 'complete',
    ...(source !== undefined && { source }),
    ...(createdAt && { createdAt }),
    ...(holdpoint !== undefined && { holdpoint }),
  }
}
