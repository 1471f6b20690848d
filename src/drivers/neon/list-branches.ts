import type { BranchRecord } from '../driver.ts'
import type { Neon } from './client.ts'
import { type ListedBranch, projectBranches } from './find-branch.ts'
import { isReady, projectPage } from './neon-answers.ts'
import { isMissing } from './neon-error.ts'
import { isProjectId } from './project-id.ts'

export interface ProjectsAtHand {
  /** Unset: all that the key sees. */
  readonly projects: readonly string[] | undefined
  readonly organization: string | undefined
}

const AT_ONCE = 4
const PAGE = 400

/** The branches of these projects that carry a mark, under the name they were made with. */
export async function listBranches(
  neon: Neon,
  at: ProjectsAtHand,
  signal: AbortSignal,
): Promise<BranchRecord[]> {
  const projects = (at.projects ?? (await visibleProjects(neon, at, signal))).filter(isProjectId)
  const rest = new Set(projects).values()
  const records: BranchRecord[] = []
  const worker = async () => {
    for (const project of rest) records.push(...(await recordsOf(neon, project, signal)))
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
  return records
}

/** The ids of all projects that the key sees. */
export async function visibleProjects(
  neon: Neon,
  { organization }: Pick<ProjectsAtHand, 'organization'>,
  signal: AbortSignal,
): Promise<string[]> {
  const ids: string[] = []
  let cursor: string | undefined
  for (;;) {
    const query = {
      limit: PAGE,
      ...(organization !== undefined && { org_id: organization }),
      ...(cursor !== undefined && { cursor }),
    }
    const { projects, pagination } = await neon.ask(
      {
        what: 'the list of projects',
        send: (api, params) => api.listProjects(query, params),
        answer: projectPage,
      },
      signal,
    )
    ids.push(...projects.map(({ id }) => id))
    // The last page may name a cursor too, which leads to an empty one.
    if (projects.length === 0 || !pagination || pagination.cursor === cursor) return ids
    cursor = pagination.cursor
  }
}

async function recordsOf(
  neon: Neon,
  project: string,
  signal: AbortSignal,
): Promise<BranchRecord[]> {
  const records: BranchRecord[] = []
  try {
    for await (const listed of projectBranches(neon, { project }, signal))
      records.push(...toRecord(listed))
  } catch (error) {
    // Deleted since the projects were listed, and its branches with it.
    if (!isMissing(error)) throw error
  }
  return records
}

function toRecord({ branch, mark }: ListedBranch): BranchRecord[] {
  if (mark?.name !== branch.name) return []
  const { holdpoint, owner, source } = mark
  return [
    {
      ref: { name: branch.name, owner },
      source,
      holdpoint,
      createdAt: branch.created_at,
      complete: isReady(branch),
    },
  ]
}
