import { html } from 'hono/html'
import type { ActionSnapshot, DeploymentSnapshot } from './deployment.ts'
import type { Fragment } from './fragment.ts'
import { renderCheckRuns } from './render-check-runs.ts'
import { renderDeploymentChecks } from './render-deployment-checks.ts'

/** One deployment with its actions, the names of its variables, and the buttons that make sense now. */
export function renderDeployment(deployment: DeploymentSnapshot): Fragment {
  const { id, projectName, environment, gitBranch, readyState, integrations } = deployment
  const state = deployment.deletedAt === undefined ? readyState : 'DELETED'
  return html`<section id="${id}">
    <h3>${projectName}</h3>
    <span class="state ${state}">${state}</span>
    ${environment}${gitBranch === undefined ? '' : html` from <code>${gitBranch}</code>`}
    ${integrations ? html`<span class="muted">provisioning: ${integrations.status}</span>` : ''}
    <span class="muted">${clockTime(deployment.createdAt)} <code>${id}</code></span>
    ${
      deployment.errorMessage === undefined
        ? ''
        : html`<p class="ERROR">${deployment.errorMessage}</p>`
    }
    <table>
      ${deployment.actions.map(renderAction)}
    </table>
    ${renderCheckRuns(id, deployment.checkRuns)} ${renderDeploymentChecks(id, deployment.checks)}
    <p>${renderVariables(deployment)}</p>
    ${movesOf(deployment).map(
      (move) =>
        html`<form method="post" action="/simulator/deployments/${id}/${move}">
          <button>${MOVE_LABELS[move]}</button>
        </form> `,
    )}
  </section>`
}

/** The time of day in UTC, to the millisecond. */
export function clockTime(at: number): string {
  return new Date(at).toISOString().slice(11, 23)
}

const MOVE_LABELS = { skip: 'Skip provisioning', cancel: 'Cancel', delete: 'Delete' } as const

function movesOf(deployment: DeploymentSnapshot): (keyof typeof MOVE_LABELS)[] {
  if (deployment.deletedAt !== undefined) return []
  switch (deployment.readyState) {
    case 'QUEUED':
      return ['skip', 'cancel', 'delete']
    case 'BUILDING':
      return ['cancel', 'delete']
    case 'READY':
    case 'ERROR':
    case 'CANCELED':
      return ['delete']
  }
}

function renderAction(action: ActionSnapshot): Fragment {
  return html`<tr>
    <td><code>${action.resourceId}</code></td>
    <td>${action.slug}</td>
    <td class="${action.status}">${action.status}</td>
    <td>${action.statusText ?? ''} ${renderStatusUrl(action.statusUrl)}</td>
  </tr>`
}

// An `sso:` address works in Vercel's dashboard only.
function renderStatusUrl(url: string | undefined): Fragment | string {
  if (url === undefined) return ''
  if (!/^https?:\/\//.test(url)) return html`<code>${url}</code>`
  return html`<a href="${url}" rel="noreferrer" target="_blank">${url}</a>`
}

function renderVariables({ env }: DeploymentSnapshot): Fragment {
  const names = Object.keys(env)
  if (names.length === 0) return html`<span class="muted">no variables</span>`
  return html`${names.map((name) => html`<code>${name}=••••••</code> `)}`
}
