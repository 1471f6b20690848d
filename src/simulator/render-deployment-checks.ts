import { html } from 'hono/html'
import type { DeploymentCheckSnapshot } from './deployment-check.ts'
import type { Fragment } from './fragment.ts'

/** The checks of a deployment, each with a button to have it run once more where it is over and that may be. */
export function renderDeploymentChecks(
  deploymentId: string,
  checks: readonly DeploymentCheckSnapshot[],
): Fragment | string {
  if (checks.length === 0) return ''
  return html`<table>
    ${checks.map(
      ({ id, name, status, conclusion, rerequestable }) =>
        html`<tr>
          <td>check</td>
          <td>${name}</td>
          <td class="${conclusion ?? status}">${conclusion ?? status}</td>
          <td>
            ${
              status !== 'completed' || !rerequestable
                ? ''
                : html`<form
                    method="post"
                    action="/simulator/deployments/${deploymentId}/checks/${id}/rerequest"
                  >
                    <button>Run again</button>
                  </form>`
            }
          </td>
        </tr>`,
    )}
  </table>`
}
