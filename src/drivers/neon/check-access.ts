import type { Finding } from '../../domain/finding.ts'
import type { Neon } from './client.ts'
import { type ProjectsAtHand, visibleProjects } from './list-branches.ts'
import { describeNeonError, isMissing } from './neon-error.ts'
import { isProjectId } from './project-id.ts'
import { type BranchCount, countBranches } from './require-room.ts'

/** The room of so many projects is looked at; each costs two requests. */
const MOST_PROJECTS = 20

/** Whether the key is valid and shows the projects, and how much room they have. */
export async function checkAccess(
  neon: Neon,
  at: ProjectsAtHand,
  signal: AbortSignal,
): Promise<Finding[]> {
  const subject = 'Neon API key'
  const visible = await visibleProjects(neon, at, signal)
  const projects = at.projects ?? visible
  if (projects.length === 0)
    return [
      {
        subject,
        level: 'warning',
        message: 'it is valid but shows no project, so no branch can be made',
        fix: 'create a project, or a key of the organization that has the projects; for a personal key name it by neon({ organization })',
      },
    ]
  const looked = projects.slice(0, MOST_PROJECTS)
  const findings = await Promise.all(
    looked.map(async (project) => checkProject(neon, { project, isGiven: !!at.projects }, signal)),
  )
  return [
    { subject, level: 'ok', message: `it is valid and shows ${visible.length} project(s)` },
    ...findings.flat(),
  ]
}

async function checkProject(
  neon: Neon,
  { project, isGiven }: { project: string; isGiven: boolean },
  signal: AbortSignal,
): Promise<Finding[]> {
  const subject = `Neon project ${JSON.stringify(project)}`
  if (!isProjectId(project))
    return [
      {
        subject,
        level: 'error',
        message: 'this is no id of a project, so no branch of it can be made',
        fix: 'name it in neon({ projects }) as its settings in the Neon console do',
      },
    ]
  try {
    return [roomFinding(subject, await countBranches(neon, project, signal))]
  } catch (error) {
    // Nobody named it, and since the list it was deleted.
    return !isGiven && isMissing(error) ? [] : [unreachable(subject, error)]
  }
}

function roomFinding(subject: string, { count, limit, plan }: BranchCount): Finding {
  if (limit === undefined) return { subject, level: 'ok', message: `branches: ${count}` }
  const message = `branches: ${count} of ${limit} (plan ${plan})`
  if (count < limit * 0.8) return { subject, level: 'ok', message }
  return {
    subject,
    level: 'warning',
    message: `${message}, so deployments will soon get none`,
    fix: 'let the reconciliation delete what no deployment needs, set neon({ ttl }), or take a larger plan',
  }
}

export function unreachable(subject: string, error: unknown): Finding {
  return {
    subject,
    level: 'error',
    message: describeNeonError(error, 'no branch can be made').message,
    fix: 'check neon({ apiKey }), the projects that the key may see, and the network',
  }
}
