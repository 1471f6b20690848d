import { html } from 'hono/html'
import type { CheckRunSnapshot } from './check.ts'
import type { Fragment } from './fragment.ts'

/** The check runs of a deployment, each with a button to cancel it as long as it is not over. */
export function renderCheckRuns(
  deploymentId: string,
  runs: readonly CheckRunSnapshot[],
): Fragment | string {
  if (runs.length === 0) return ''
  return html`<table>
    ${runs.map(
      ({ id, name, status, conclusion, conclusionText }) =>
        html`<tr>
          <td>check</td>
          <td>${name}</td>
          <td class="${conclusion ?? status}">${conclusion ?? status}</td>
          <td>${conclusionText ?? ''}</td>
          <td>
            ${
              status === 'completed'
                ? ''
                : html`<form
                    method="post"
                    action="/simulator/deployments/${deploymentId}/check-runs/${id}/cancel"
                  >
                    <button>Cancel check</button>
                  </form>`
            }
          </td>
        </tr>`,
    )}
  </table>`
}
