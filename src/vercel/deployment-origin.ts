import type { DeploymentOrigin } from '../domain/deployment.ts'

/** The parts of a deployment that tell where it comes from, each perhaps missing. */
export interface OriginEvidence {
  readonly creator?: { readonly username?: string | null | undefined } | null | undefined
  readonly gitSource?: { readonly prId?: string | number | null | undefined } | null | undefined
  readonly meta?: Readonly<Record<string, unknown>> | null | undefined
}

/** The origin, in each host's own names; undefined for an answer that shows neither metadata nor git source. */
export function originOf({
  creator,
  gitSource,
  meta,
}: OriginEvidence): DeploymentOrigin | undefined {
  if (!meta && !gitSource) return undefined
  const known = (name: string) =>
    ['github', 'gitlab', 'bitbucket']
      .map((host) => meta?.[`${host}${name}`])
      .filter((value) => (typeof value === 'string' && value !== '') || typeof value === 'number')
      .map(String)
  const repositoryOf = ([owner]: readonly string[], [name]: readonly string[]) =>
    owner && name ? `${owner}/${name}` : undefined
  // The git source names a repository too, but nobody says which of the two it is for a pull request from a fork.
  const repository = repositoryOf(known('Org'), known('Repo'))
  const commitRepository = repositoryOf(known('CommitOrg'), known('CommitRepo'))
  // At GitLab it is a merge request.
  const [pullRequest] = [...known('PrId'), ...known('MrId'), ...nonEmpty(gitSource?.prId)]
  return {
    makers: [
      ...nonEmpty(creator?.username),
      ...known('CommitAuthorLogin'),
      ...known('CommitAuthorName'),
    ],
    ...(pullRequest && { pullRequest }),
    ...(repository && { repository }),
    ...(commitRepository && { commitRepository }),
  }
}

function nonEmpty(value: string | number | null | undefined): string[] {
  return value === undefined || value === null || value === '' ? [] : [String(value)]
}
