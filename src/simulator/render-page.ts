import { html, raw } from 'hono/html'
import type { Fragment } from './fragment.ts'
import type { Project } from './project.ts'
import { renderDeployment } from './render-deployment.ts'
import { renderInstallation, renderProvisionForms } from './render-resources.ts'
import { renderTimeline } from './render-timeline.ts'
import type { Simulator } from './simulator.ts'

const MAX_DEPLOYMENTS = 50

/** The page of the local Vercel. It needs nothing from elsewhere and shows no value of a variable. */
export function renderPage(simulator: Omit<Simulator, 'url'>, nonce: string): Fragment {
  const { product, installation, installations, webhookUrl, partnerUrl, projects } = simulator
  const deployments = simulator.deployments()
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>Local Vercel</title>
        <link rel="icon" href="data:," />
        <style nonce="${nonce}">
          ${raw(STYLE)}
        </style>
      </head>
      <body>
        <header>
          <h1>Local Vercel</h1>
          <p>
            ${product.name}, installed as <code>${installation.id}</code>. Webhooks go to
            <code>${webhookUrl ?? 'nowhere yet'}</code>.
          </p>
          ${projects.length > 0 ? renderDeployForm(projects) : ''}
          ${partnerUrl === undefined ? '' : renderProvisionForms(simulator)}
        </header>
        <main id="live">
          <h2>Deployments</h2>
          ${deployments.length === 0 ? html`<p>None yet.</p>` : ''}
          ${deployments.slice(0, MAX_DEPLOYMENTS).map(renderDeployment)}
          <h2>Projects</h2>
          ${projects.map(renderProject)}
          <h2>Installations and resources</h2>
          ${installations.map((each) => renderInstallation(each, simulator))}
          <h2>Webhooks, updates and calls</h2>
          ${renderTimeline(simulator.records)}
        </main>
        <script nonce="${nonce}">
          ${raw(REFRESH)}
        </script>
      </body>
    </html>`
}

function renderDeployForm(projects: readonly Project[]): Fragment {
  return html`<form method="post" action="/simulator/deployments">
    <label>
      Project
      <select name="project">
        ${projects.map(({ name }) => html`<option>${name}</option>`)}
      </select>
    </label>
    <label>
      Environment
      <input name="environment" value="preview" list="environments" required size="12" />
    </label>
    <datalist id="environments">
      ${environmentsOf(projects).map((name) => html`<option>${name}</option>`)}
    </datalist>
    <label>Git branch <input name="gitBranch" value="feature/login" size="20" /></label>
    <button>Deploy</button>
  </form>`
}

function environmentsOf(projects: readonly Project[]): string[] {
  const chosen = projects.flatMap(({ connections }) =>
    connections.flatMap(({ actions }) => actions.flatMap(({ environments }) => environments)),
  )
  return [...new Set(['preview', 'production', ...chosen])]
}

function renderProject({ name, connections }: Project): Fragment {
  return html`<section>
    <h3>${name}</h3>
    <ul>
      ${connections.map(
        ({ resourceId, required, actions }) =>
          html`<li>
            <code>${resourceId}</code> (${required ? 'required' : 'not required'}):
            ${
              actions
                .map(({ slug, environments }) => `${slug} for ${environments.join(', ')}`)
                .join('; ') || 'no actions'
            }
          </li>`,
      )}
    </ul>
  </section>`
}

const STYLE = `
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif }
body { max-width: 64rem; margin: 2rem auto; padding: 0 1rem }
h1 { margin: 0 } h3 { margin: 0; font-size: 1rem; display: inline }
section p { margin: .4rem 0 }
section { border: 1px solid #8886; border-radius: 8px; padding: .7rem 1rem; margin: .6rem 0 }
form { display: inline-flex; gap: .6rem; flex-wrap: wrap; align-items: end }
label { display: grid; font-size: .85rem }
table { border-collapse: collapse; font-size: .9rem; margin: .3rem 0 }
td, th { text-align: left; padding: .15rem 1.2rem .15rem 0; vertical-align: top; overflow-wrap: anywhere }
.state { font-weight: 600; padding: 0 .4rem; border-radius: 4px; background: #8883 }
.READY, .succeeded, .ready { color: #16803c } .ERROR, .failed, .timeout, .error { color: #c62828 }
.QUEUED, .BUILDING, .running, .pending, .queued { color: #b26a00 }
.muted { opacity: .7 }
`

// The forms above stay as they are while someone types; only what changed is put in place.
const REFRESH = `
const live = document.getElementById('live')
let shown
setInterval(async () => {
  const answer = await fetch('/').catch(() => undefined)
  if (!answer?.ok) return
  const page = new DOMParser().parseFromString(await answer.text(), 'text/html')
  const next = page.getElementById('live').innerHTML
  if (next !== (shown ?? live.innerHTML)) live.innerHTML = next
  shown = next
}, 1000)
`
