import { type Context, Hono } from 'hono'
import { z } from 'zod'
import { answerError, answerInvalid } from './answer-error.ts'
import { answerPost, readRequest, withoutValues } from './control-request.ts'
import { PartnerFault, PartnerRefusal } from './judge-answer.ts'
import type { Installation } from './project.ts'
import type { Simulator } from './simulator.ts'

// Forms send every field, and metadata as text.
const optional = z
  .string()
  .trim()
  .transform((text) => (text === '' ? undefined : text))
  .optional()
const metadata = z
  .preprocess(
    (given) => (typeof given === 'string' ? parseJson(given) : given),
    z.record(z.string(), z.unknown(), { error: 'should be a JSON object' }).optional(),
  )
  .optional()
const provisionRequest = z.strictObject({
  product: optional,
  name: z.string().trim().min(1),
  billingPlanId: optional,
  metadata,
})
const updateRequest = z.strictObject({ name: optional, billingPlanId: optional, metadata })
const rotationRequest = z.strictObject({
  reason: optional,
  delayOldSecretsExpirationHours: z.coerce.number().optional(),
})
const nothing = z.strictObject({})

/**
 * What a customer does in Vercel's dashboard with installations and resources. Each asks the provider, whose refusal is
 * answered with 409 and whose mistake with 502:
 *
 *     GET  /simulator/installations                 all installations, with their resources
 *     POST /simulator/installations                 installs the integration on one more team
 *     POST /simulator/installations/{id}/uninstall
 *     POST /simulator/installations/{id}/resources  {name, product?, billingPlanId?, metadata?}: provisions
 *     POST /simulator/installations/{id}/resources/{resource}/update   {name?, billingPlanId?, metadata?}
 *     POST /simulator/installations/{id}/resources/{resource}/rotate   {reason?, delayOldSecretsExpirationHours?}
 *     POST /simulator/installations/{id}/resources/{resource}/delete
 */
export function resourceControlRoutes(simulator: Omit<Simulator, 'url'>): Hono {
  const routes = new Hono()
  const ofInstallation = '/simulator/installations/:id'
  const ofResource = `${ofInstallation}/resources/:resourceId`

  routes.get('/simulator/installations', (c) =>
    c.json({ installations: simulator.installations.map(view) }),
  )
  routes.post('/simulator/installations', (c) =>
    make(c, nothing, async () => view(await simulator.install()), 201),
  )
  routes.post(`${ofInstallation}/uninstall`, (c) =>
    make(c, nothing, () => simulator.uninstall(installationOf(c))),
  )
  routes.post(`${ofInstallation}/resources`, (c) =>
    make(
      c,
      provisionRequest,
      async (request) =>
        withoutValues(await simulator.provision(installationOf(c), defined(request))),
      201,
    ),
  )
  routes.post(`${ofResource}/update`, (c) =>
    make(c, updateRequest, async (update) =>
      withoutValues(await simulator.updateResource(refOf(c), defined(update))),
    ),
  )
  routes.post(`${ofResource}/rotate`, (c) =>
    make(c, rotationRequest, async (request) =>
      withoutValues(await simulator.rotateSecrets(refOf(c), defined(request))),
    ),
  )
  routes.post(`${ofResource}/delete`, (c) =>
    make(c, nothing, async () => {
      await simulator.deleteResource(refOf(c))
      return {}
    }),
  )
  return routes

  function view({ id, teamId, teamSlug, enabled, status, billingPlanId }: Installation) {
    const resources = simulator.resources().filter(({ installationId }) => installationId === id)
    return {
      id,
      teamId,
      teamSlug,
      enabled,
      status,
      billingPlanId,
      resources: resources.map(withoutValues),
    }
  }

  function installationOf(c: Context): Installation {
    const installation = simulator.installations.find(({ id }) => id === c.req.param('id'))
    if (installation) return installation
    throw new Error('There is no such installation')
  }
}

async function make<Request>(
  c: Context,
  schema: z.ZodType<Request>,
  move: (request: Request) => Promise<object>,
  status: 200 | 201 = 200,
): Promise<Response> {
  const request = schema.safeParse((await readRequest(c)) ?? {})
  if (!request.success) return answerInvalid(c, z.prettifyError(request.error))
  try {
    return answerPost(c, await move(request.data), status)
  } catch (error) {
    if (error instanceof PartnerFault)
      return answerError(c, 502, { code: 'bad_gateway', message: error.message })
    const refused = error instanceof PartnerRefusal ? error.userMessage : undefined
    const message = refused ?? (error instanceof Error ? error.message : String(error))
    return answerError(c, 409, { code: 'conflict', message })
  }
}

function refOf(c: Context) {
  return {
    installationId: c.req.param('id') ?? '',
    id: c.req.param('resourceId') ?? '',
  }
}

type Defined<T> = { [Key in keyof T]: Exclude<T[Key], undefined> }

function defined<T extends object>(request: T): Defined<T> {
  return Object.fromEntries(
    Object.entries(request).filter(([, value]) => value !== undefined),
  ) as Defined<T>
}

function parseJson(text: string): unknown {
  if (text.trim() === '') return undefined
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
