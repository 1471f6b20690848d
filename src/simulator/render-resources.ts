import { html } from 'hono/html'
import type { Fragment } from './fragment.ts'
import type { Installation } from './project.ts'
import type { ResourceSnapshot } from './resource.ts'
import type { Simulator } from './simulator.ts'

type Controls = Omit<Simulator, 'url'>

/** What a customer fills in to provision a resource, and the button that installs the integration. */
export function renderProvisionForms({ installations, products }: Controls): Fragment {
  return html`<form method="post" action="/simulator/installations">
      <button>Install on one more team</button>
    </form>
    ${installations.map(
      ({ id }) =>
        html`<form method="post" action="/simulator/installations/${id}/resources">
          <label>
            Product for <code>${id}</code>
            <select name="product">
              ${products.map((slug) => html`<option>${slug}</option>`)}
            </select>
          </label>
          <label>Name <input name="name" required size="14" /></label>
          <label>Plan <input name="billingPlanId" size="10" /></label>
          <label>Metadata <input name="metadata" placeholder="{}" size="14" /></label>
          <button>Provision</button>
        </form>`,
    )}`
}

/** One installation with its resources, and the buttons that ask the provider, where there is one. */
export function renderInstallation(installation: Installation, simulator: Controls): Fragment {
  const { id, teamSlug, enabled, status, billingPlanId, notification } = installation
  const asks = simulator.partnerUrl !== undefined
  const resources = simulator.resources().filter(({ installationId }) => installationId === id)
  return html`<section>
    <h3><code>${id}</code></h3>
    of ${teamSlug}${enabled ? '' : ', disabled'}
    <span class="muted">
      ${status ?? ''} ${billingPlanId === undefined ? '' : `plan: ${billingPlanId}`}
      ${notification?.title ?? ''}
    </span>
    ${asks ? renderMove(`/simulator/installations/${id}/uninstall`, 'Uninstall') : ''}
    <table>
      ${resources.map((resource) => renderResource(resource, asks))}
    </table>
  </section>`
}

function renderResource(resource: ResourceSnapshot, asks: boolean): Fragment {
  const { installationId, id, name, productId, status, billingPlan, rotating, env } = resource
  const path = `/simulator/installations/${installationId}/resources/${encodeURIComponent(id)}`
  return html`<tr>
    <td><code>${id}</code></td>
    <td>${name}</td>
    <td>${productId} ${billingPlan?.name ?? ''}</td>
    <td class="${status}">${status}${rotating ? ', rotating' : ''}</td>
    <td>${Object.keys(env).map((variable) => html`<code>${variable}=••••••</code> `)}</td>
    <td>
      ${
        asks
          ? html`${renderMove(`${path}/rotate`, 'Rotate secrets')}
            ${renderMove(`${path}/delete`, 'Delete')}`
          : ''
      }
    </td>
  </tr>`
}

function renderMove(action: string, label: string): Fragment {
  return html`<form method="post" action="${action}"><button>${label}</button></form>`
}
